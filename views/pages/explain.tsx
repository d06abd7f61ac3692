// A figure explained: its formula with its numbers, what was summed, intervals, counts, gaps, policy, calendar.
/** @jsxImportSource preact */
import type { State } from "../../domain/state-rules.ts";
import { Crumbs, trailDown } from "../components/crumbs.tsx";
import { Bar } from "../components/oee.tsx";
import { policyWords } from "../components/report.tsx";
import { StateLabel } from "../components/state.tsx";
import { Waterfall } from "../components/waterfall.tsx";
import { explainPath, statePath, type Whose } from "../components/why.tsx";
import { clockSeconds, day, dayClock, duration, ms, number, percent } from "../format.ts";
import { Layout } from "../layout.tsx";
import type { ExplainProps } from "../model.ts";
import { phrase, text } from "../text.ts";
import { causeText, flagText } from "../wording.ts";

export function Explain(props: ExplainProps) {
  const { shell, machine, explained, links, window, only } = props;
  const whose = machine?.name ?? text.dashboard.plant;
  return (
    <Layout
      shell={shell}
      title={text.explain.title(phrase(explained.name))}
      theme="office"
      here="dashboard"
      scripts={[]}
    >
      <main id="main" class="report">
        <div class="report-body explain">
          <Crumbs trail={trailDown(window, machine, machine ? { only } : { only, ...props.of })} />
          <div class="report-head">
            <h1>
              {phrase(explained.name)}, {whose}
            </h1>
            <p class="hint">
              {explained.key && explained.by !== "hour" ? `${explained.key}, ` : ""}
              {dayClock(ms(explained.from), shell.timezone)} – {dayClock(ms(explained.to), shell.timezone)},{" "}
              {shell.timezone}
            </p>
            <a class="button" href={links.json}>
              {text.explain.json}
            </a>
            <a class="button" href={links.csv} download>
              {machine ? text.explain.csv : text.dashboard.csv}
            </a>
          </div>
          <FormulaPanel explained={explained} />
          <div class="pair">
            <section class="panel">
              <h2>{text.explain.waterfall}</h2>
              <Waterfall row={explained.row} />
            </section>
            <SumsPanel explained={explained} />
          </div>
          {machine ? (
            <>
              <Intervals {...props} machine={machine} />
              <div class="pair">
                <InForce {...props} />
                <Counts {...props} machine={machine} />
              </div>
            </>
          ) : (
            <>
              <Machines explained={explained} machines={props.machines} whose={{ ...window, only }} />
              <p class="policy">
                <b>{text.dashboard.policy}:</b> {policyOf(explained)}.
              </p>
            </>
          )}
        </div>
      </main>
    </Layout>
  );
}

type Explained = ExplainProps["explained"];
type Unit = Explained["unit"] | Explained["formula"]["terms"][number]["unit"];

/** A number with its unit, to the last digit it has: what is added up must be seen whole. */
function exact(value: number | null, unit: Unit): string {
  if (value === null) return text.none;
  const shown = value.toLocaleString(text.locale, { maximumFractionDigits: unit === "ratio" ? 16 : 6 });
  return `${shown} ${text.explain.units[unit]}`.trim();
}

const rounded = (value: number | null, unit: Unit): string =>
  value === null
    ? text.none
    : unit === "ratio"
      ? percent(value)
      : unit === "s"
        ? duration(value)
        : `${number(value)} ${text.explain.units[unit]}`;

/** "OEE 74.8 % = 18,848 s ideal time of good parts ÷ 25,200 s planned time" */
export function sentence({ name, value, unit, formula }: Explained): string {
  const { terms } = formula;
  const shown = (term: (typeof terms)[number]) =>
    term.unit === "s" ? exact(term.value, "s") : number(term.value);
  const [only] = terms;
  const is = `${phrase(name)} ${rounded(value, unit)} =`;
  if (terms.length === 1 && only) return `${is} ${shown(only)}: ${phrase(formula.text)}`;
  // The longest name first: "good parts" is not "parts".
  const names = terms.map((term) => term.name).sort((a, b) => b.length - a.length);
  const said = formula.text.replaceAll(new RegExp(names.join("|"), "g"), (found) => {
    const term = terms.find((one) => one.name === found);
    return term ? `${shown(term)} ${phrase(found)}` : found;
  });
  return `${is} ${said}`;
}

function FormulaPanel({ explained }: { explained: Explained }) {
  const { value, unit, formula, flags } = explained;
  return (
    <section class="panel formula" aria-label={text.explain.formula}>
      <p class="big-number">{rounded(value, unit)}</p>
      <div>
        <p class="sentence">{sentence(explained)}</p>
        <p class="hint">
          {value === null ? `${text.none}: ${text.explain.notKnown}` : exact(value, unit)} (
          {text.explain.source[formula.source]})
        </p>
      </div>
      <table class="terms cards">
        <thead>
          <tr>
            <th scope="col">{text.explain.term}</th>
            <th scope="col" class="num">
              {text.explain.value}
            </th>
            <th scope="col">{text.explain.how}</th>
          </tr>
        </thead>
        <tbody>
          {formula.terms.map((term) => (
            <tr key={term.name}>
              <th scope="row">{phrase(term.name)}</th>
              <td class="num" data-label={text.explain.value}>
                {exact(term.value, term.unit)}
              </td>
              <td class="wide" data-label={text.explain.how}>
                {phrase(term.from)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {flags.length > 0 && (
        <ul class="flags">
          {flags.map((flag) => (
            <li key={flag}>{flagText(flag)}</li>
          ))}
        </ul>
      )}
    </section>
  );
}

function SumsPanel({ explained }: { explained: Explained }) {
  return (
    <section class="panel">
      <h2>{text.explain.sums}</h2>
      <table class="sums cards">
        <thead>
          <tr>
            <th scope="col">{text.dashboard.state}</th>
            <th scope="col">{text.dashboard.reason}</th>
            <th scope="col">{text.explain.countsAs}</th>
            <th scope="col" class="num">
              {text.explain.scheduled}
            </th>
            <th scope="col" class="num">
              {text.explain.allTime}
            </th>
            <th scope="col" class="num">
              {text.dashboard.good} / {text.dashboard.total}
            </th>
          </tr>
        </thead>
        <tbody>
          {explained.sums.map((row) => (
            <tr key={[row.state, row.reason, row.cause, row.counts_as].join()}>
              <th scope="row">
                <StateLabel state={row.state as State} />
              </th>
              <td data-label={text.dashboard.reason}>{row.reason || causeText(row.cause) || text.none}</td>
              <td data-label={text.explain.countsAs}>{text.explain.countsAsWords[row.counts_as]}</td>
              <td class="num" data-label={text.explain.scheduled}>
                {duration(row.scheduled_s)}
              </td>
              <td class="num" data-label={text.explain.allTime}>
                {duration(row.seconds)}
              </td>
              <td class="num" data-label={`${text.dashboard.good} / ${text.dashboard.total}`}>
                {number(row.total_count - row.reject_count)} / {number(row.total_count)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

type OfMachine = ExplainProps & { machine: NonNullable<ExplainProps["machine"]> };

/** `Mon 5 Jan 14:02:11` */
const moment = (iso: string, timezone: string): string =>
  `${day(ms(iso), timezone)} ${clockSeconds(ms(iso), timezone)}`;

function Intervals({ shell, machine, listed }: OfMachine) {
  const { intervals, truncated } = listed;
  return (
    <section class="panel">
      <h2>{text.explain.intervals}</h2>
      {intervals.length === 0 && <p class="hint">{text.explain.noIntervals}</p>}
      <table class="intervals cards">
        <thead>
          <tr>
            <th scope="col">{text.dashboard.state}</th>
            <th scope="col">{text.dashboard.start}</th>
            <th scope="col" class="num">
              {text.dashboard.duration}
            </th>
            <th scope="col">{text.explain.countsAs}</th>
            <th scope="col">{text.dashboard.reason}</th>
            <th scope="col">{text.explain.shift}</th>
          </tr>
        </thead>
        <tbody>
          {intervals.map((row) => (
            <tr key={row.from}>
              <th scope="row">
                <StateLabel state={row.state as State} />
              </th>
              <td data-label={text.dashboard.start}>
                <a
                  class="why"
                  href={statePath(machine.machine_id, row.from, row.to)}
                  title={text.explain.raw}
                >
                  {moment(row.from, shell.timezone)}
                </a>
              </td>
              <td class="num" data-label={text.dashboard.duration}>
                {exact(row.seconds, "s")}
              </td>
              <td data-label={text.explain.countsAs}>{text.explain.countsAsWords[row.counts_as]}</td>
              <td data-label={text.dashboard.reason}>{row.reason || causeText(row.cause) || text.none}</td>
              <td data-label={text.explain.shift}>{row.shift || text.explain.outside}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {truncated && <p class="hint">{text.explain.first(number(intervals.length))}</p>}
    </section>
  );
}

function Counts({ shell, machine, listed }: OfMachine) {
  const { counts, truncated } = listed;
  return (
    <section class="panel">
      <h2>{text.explain.counts}</h2>
      {counts.length === 0 ? (
        <p class="hint">{text.explain.noCounts}</p>
      ) : (
        <table class="made cards">
          <thead>
            <tr>
              <th scope="col">{text.explain.at}</th>
              <th scope="col" class="num">
                {text.dashboard.total}
              </th>
              <th scope="col" class="num">
                {text.dashboard.reject}
              </th>
              <th scope="col">{text.explain.part}</th>
              <th scope="col" class="num">
                {text.explain.idealCycle}
              </th>
              <th scope="col">{text.explain.notes}</th>
            </tr>
          </thead>
          <tbody>
            {counts.map((row) => (
              <tr key={row.ts}>
                <th scope="row">
                  <a
                    class="why"
                    href={statePath(machine.machine_id, row.ts, after(row.ts), "part_count")}
                    title={text.explain.raw}
                  >
                    {moment(row.ts, shell.timezone)}
                  </a>
                </th>
                <td class="num" data-label={text.dashboard.total}>
                  {number(row.total)}
                </td>
                <td class="num" data-label={text.dashboard.reject}>
                  {number(row.reject)}
                </td>
                <td data-label={text.explain.part}>{row.part || text.none}</td>
                <td class="num" data-label={text.explain.idealCycle}>
                  {exact(row.ideal_cycle_s, "s")}
                </td>
                <td data-label={text.explain.notes}>
                  {[row.spike && text.explain.spike, row.reset && text.explain.reset]
                    .filter(Boolean)
                    .join(", ") || text.none}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {truncated && <p class="hint">{text.explain.first(number(counts.length))}</p>}
    </section>
  );
}

/** The second after a count: the raw row is in it. */
const after = (iso: string): string => new Date(ms(iso) + 1_000).toISOString();

function policyOf({ policy }: Explained): string {
  return policy ? policyWords(policy) : text.dashboard.policyDiffers;
}

/** What the figure was taken by: policy, calendar, gaps, and where the raw rows are. */
function InForce({ shell, explained, gaps, calendars, links }: ExplainProps) {
  const shifts = (one: ExplainProps["calendars"][number]) =>
    one.shifts.map(({ name, days, start, end }) => `${name} ${start}–${end} (${days.join(" ")})`).join("; ");
  return (
    <section class="panel in-force">
      <h2>{text.dashboard.policy}</h2>
      <p>{policyOf(explained)}</p>
      <h2>{text.explain.calendar}</h2>
      {calendars.length === 0 ? (
        <p>{text.explain.noCalendar}</p>
      ) : (
        <ul>
          {calendars.map((one) => (
            <li key={one.valid_from ?? ""}>
              {one.valid_from && `${one.valid_from}: `}
              {text.explain.calendarOf(one.timezone, shifts(one))}
            </li>
          ))}
        </ul>
      )}
      <h2>{text.explain.gaps}</h2>
      {gaps.length === 0 ? (
        <p>{text.explain.noGaps}</p>
      ) : (
        <ul>
          {gaps.map((gap) => (
            <li key={gap.from + gap.cause}>
              {text.gapCauses[gap.cause]}: {moment(gap.from, shell.timezone)} –{" "}
              {gap.to ? moment(gap.to, shell.timezone) : text.explain.open} {gap.detail}
            </li>
          ))}
        </ul>
      )}
      <h2>{text.explain.raw}</h2>
      <p class="links">
        {links.observations.map(({ signal, href }) => (
          <a key={signal} class="why" href={href}>
            {signal}
          </a>
        ))}
      </p>
    </section>
  );
}

function Machines({
  explained,
  machines,
  whose,
}: Pick<ExplainProps, "explained" | "machines"> & { whose: Whose }) {
  const { figure, unit, formula, by, key } = explained;
  const row = by === "total" ? {} : { by, key };
  return (
    <section class="panel">
      <h2>{text.explain.parts}</h2>
      <table class="machines cards">
        <thead>
          <tr>
            <th scope="col">{text.dashboard.machine}</th>
            <th scope="col" class="num">
              {phrase(explained.name)}
            </th>
            {formula.terms.map(({ name }) => (
              <th key={name} scope="col" class="num">
                {phrase(name)}
              </th>
            ))}
            <th scope="col">{text.explain.share}</th>
          </tr>
        </thead>
        <tbody>
          {machines.map((one) => (
            <tr key={one.machine_id}>
              <th scope="row">
                <a href={explainPath(figure, { machine_id: one.machine_id, ...whose, ...row })}>{one.name}</a>
              </th>
              <td class="num" data-label={phrase(explained.name)}>
                {rounded(one.value, unit)}
              </td>
              {one.terms.map((term) => (
                <td key={term.name} class="num" data-label={phrase(term.name)}>
                  {exact(term.value, term.unit)}
                </td>
              ))}
              <td class="wide" data-label={text.explain.share}>
                {percent(one.share)}
                <Bar ratio={one.share} label={text.explain.share} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
