// A state explained: the rule it follows from, the values in force, and the raw observations of its time.
/** @jsxImportSource preact */
import type { State } from "../../domain/state-rules.ts";
import { Crumbs, trailDown } from "../components/crumbs.tsx";
import { StateLabel } from "../components/state.tsx";
import { statePath } from "../components/why.tsx";
import { clockSeconds, day, ms, number } from "../format.ts";
import { Layout } from "../layout.tsx";
import type { ExplainStateProps } from "../model.ts";
import { text } from "../text.ts";
import { causeText } from "../wording.ts";

export function ExplainState(props: ExplainStateProps) {
  const { shell, machine, state, to, links } = props;
  const title = text.explain.stateTitle(text.states[state.state as State]);
  return (
    <Layout shell={shell} title={title} theme="office" here="dashboard" scripts={[]}>
      <main id="main" class="report">
        <div class="report-body explain">
          <Crumbs trail={trailDown({ from: state.from, to: state.to }, machine)} />
          <div class="report-head">
            <h1>
              {title} {machine.name}
            </h1>
            <p class="hint">
              {moment(state.at, shell.timezone)} – {moment(to, shell.timezone)}, {shell.timezone}
            </p>
            <a class="button" href={links.json}>
              {text.explain.json}
            </a>
          </div>
          <Rule state={state} timezone={shell.timezone} />
          <div class="pair">
            <Values state={state} timezone={shell.timezone} />
            <Raw {...props} />
          </div>
        </div>
      </main>
    </Layout>
  );
}

/** `Mon 5 Jan 14:02:11` */
const moment = (iso: string, timezone: string): string =>
  `${day(ms(iso), timezone)} ${clockSeconds(ms(iso), timezone)}`;

/** With the fraction of the second, as it was told. */
const precise = (iso: string, timezone: string): string =>
  `${moment(iso, timezone)}${/\.\d*?(?=0*Z)/.exec(iso)?.[0].replace(/\.$/, "") ?? ""}`;

type OfState = { state: ExplainStateProps["state"]; timezone: string };

function Rule({ state, timezone }: OfState) {
  const { rule, rule_id, reason, reason_from, cause, gaps } = state;
  return (
    <section class="panel" aria-label={text.explain.rule(rule)}>
      <h2>{text.explain.rule(rule)}</h2>
      <p class="sentence">
        <StateLabel state={state.state as State} /> {text.stateRules[rule_id]}
      </p>
      <dl class="facts">
        {[
          [text.dashboard.reason, reason && `${reason}, ${text.explain.reasonFrom[reason_from]}`],
          [text.dashboard.cause, causeText(cause)],
          [text.explain.shift, state.shift || text.explain.outside],
          [text.explain.part, state.part],
        ].map(([label, value]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{value || text.none}</dd>
          </div>
        ))}
      </dl>
      {gaps.length > 0 && (
        <ul class="flags">
          {gaps.map((gap) => (
            <li key={gap.from + gap.cause}>
              {text.gapCauses[gap.cause]}: {moment(gap.from, timezone)} –{" "}
              {gap.to ? moment(gap.to, timezone) : text.explain.open} {gap.detail}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Values({ state, timezone }: OfState) {
  return (
    <section class="panel">
      <h2>{text.explain.inForce}</h2>
      {state.values.length === 0 ? (
        <p class="hint">{text.explain.noValues}</p>
      ) : (
        <table class="values cards">
          <thead>
            <tr>
              <th scope="col">{text.explain.signal}</th>
              <th scope="col">{text.explain.value}</th>
              <th scope="col">{text.explain.since}</th>
            </tr>
          </thead>
          <tbody>
            {state.values.map(({ signal, value, ts }) => (
              <tr key={signal}>
                <th scope="row">{signal}</th>
                <td data-label={text.explain.value}>{value || text.none}</td>
                <td class="wide" data-label={text.explain.since}>
                  {precise(ts, timezone)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

function Raw({
  shell,
  machine,
  state,
  to,
  signal,
  signals,
  observations,
  truncated,
  links,
}: ExplainStateProps) {
  return (
    <section class="panel raw">
      <h2>{text.explain.rawOf(signal)}</h2>
      <nav class="links" aria-label={text.explain.signal}>
        {signals.map((name) => (
          <a
            key={name}
            class="why"
            href={statePath(machine.machine_id, state.at, to, name)}
            aria-current={name === signal ? "true" : undefined}
          >
            {name}
          </a>
        ))}
      </nav>
      {observations.length === 0 ? (
        <p class="hint">{text.explain.noRaw}</p>
      ) : (
        <table class="observations cards">
          <thead>
            <tr>
              <th scope="col">{text.explain.at}</th>
              <th scope="col">{text.explain.value}</th>
              <th scope="col" class="num">
                {text.explain.seq}
              </th>
            </tr>
          </thead>
          <tbody>
            {observations.map(({ ts, seq, value }) => (
              <tr key={`${ts} ${seq} ${value}`}>
                <th scope="row">{precise(ts, shell.timezone)}</th>
                <td data-label={text.explain.value}>{value ?? text.none}</td>
                <td class="num" data-label={text.explain.seq}>
                  {seq > 0 ? String(seq) : text.none}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {truncated && <p class="hint">{text.explain.first(number(observations.length))}</p>}
      <p>
        <a class="why" href={links.observations}>
          {text.explain.json}
        </a>
      </p>
    </section>
  );
}
