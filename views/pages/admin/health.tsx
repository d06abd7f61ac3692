// How the system is doing: each figure with its bound and a word, and what to do where one needs a hand.
/** @jsxImportSource preact */
import type { ComponentChildren } from "preact";
import type { AdminHealthProps, Health, Level } from "../../admin-model.ts";
import { bytesText } from "../../components/bytes.ts";
import { ContactWord, LevelWord } from "../../components/contact.tsx";
import { age, duration, number } from "../../format.ts";
import { text } from "../../text.ts";
import { AdminFrame } from "./frame.tsx";

export function AdminHealth(props: AdminHealthProps) {
  const words = text.health;
  return (
    <AdminFrame shell={props.shell} room="health" title={words.title}>
      <h1>{words.title}</h1>
      <div
        id="health"
        class="stack wide-form"
        hx-get="/admin/health/figures"
        hx-trigger="every 5s"
        hx-target="#health"
        hx-select="unset"
        hx-swap="innerHTML"
      >
        <AdminHealthFigures {...props} />
      </div>
    </AdminFrame>
  );
}

/** `GET /admin/health/figures`: what changes. */
export function AdminHealthFigures(props: AdminHealthProps) {
  return (
    <>
      <Advice {...props} />
      <Figures {...props} />
      <PartList {...props} />
      <WithoutFigures {...props} />
      <Sources {...props} />
    </>
  );
}

/** What needs a hand, in words. */
function Advice({ health }: AdminHealthProps) {
  const { advice } = text.health;
  const needed = [
    ["outbox", health.outbox.level],
    ["disk", health.disk.level],
    ["full", health.disk.full ? "bad" : "good"],
    ["memory", health.memory.level],
    ["engine", health.engine?.level ?? "good"],
    ["damaged", health.engine?.set_aside.length ? "near" : "good"],
    ["readers", health.readers.level],
    ["lake", health.lake?.level ?? "good"],
    ["sources", health.sources.some(({ level }) => level === "bad") ? "bad" : "good"],
    ["set_aside", (health.set_aside ?? 0) > 0 ? "bad" : "good"],
    ["rollup", health.rollup.set_aside.length > 0 ? "bad" : "good"],
    ["parts", health.parts.every(({ up }) => up) ? "good" : "bad"],
  ] as const satisfies readonly (readonly [keyof typeof advice, Level])[];
  const told = needed.filter(([, level]) => level !== "good");
  if (told.length === 0) return null;
  return (
    <div class="notice" role="status">
      <ul>
        {told.map(([name]) => (
          <li key={name}>
            {advice[name]}
            {name === "set_aside" && (
              <>
                {" "}
                <a href="/admin/events">{text.events.title}</a>
              </>
            )}
          </li>
        ))}
      </ul>
    </div>
  );
}

function Figures({ health, shell }: AdminHealthProps) {
  const words = text.health;
  const { outbox, disk, memory, engine, readers, rollup, lake, requests } = health;
  const count = (n: number) => number(n);
  return (
    <dl class="panel health">
      <Figure name={words.state} level={STATE_LEVELS[health.state]}>
        {words.states[health.state]}
      </Figure>
      <Figure
        name={words.outbox}
        level={outbox.level}
        more={`${words.ofMax(bytesText(outbox.max_bytes))}${countedText(outbox.seen_ms, shell.now_ms)}`}
      >
        {words.waiting(count(outbox.events), bytesText(outbox.bytes))}
      </Figure>
      <Figure name={words.lag} level={outbox.level} more={outbox.error && `${words.error}: ${outbox.error}`}>
        {outbox.events === 0 ? words.none : duration(outbox.lag_s)}
      </Figure>
      <Figure name={words.setAside} level={(health.set_aside ?? 0) > 0 ? "bad" : "good"}>
        {health.set_aside === null ? text.none : health.set_aside > 99 ? "99+" : count(health.set_aside)}
      </Figure>
      <Figure name={words.rollup} level={rollup.level}>
        {rollup.age_s === null ? text.none : text.machines.ago(age(rollup.age_s * 1_000))}
      </Figure>
      <Figure
        name={words.disk}
        level={disk.level}
        more={`${words.data}: ${disk.data_bytes === null ? text.none : bytesText(disk.data_bytes)}`}
      >
        {words.of(bytesText(disk.free_bytes), bytesText(disk.total_bytes))}
      </Figure>
      <Figure name={words.memory} level={memory.level}>
        {words.of(bytesText(memory.resident_bytes), bytesText(memory.total_bytes))}
      </Figure>
      {engine && (
        <Figure
          name={words.engine}
          level={engine.level}
          more={engine.set_aside.length > 0 ? words.damaged(engine.set_aside.join(", ")) : undefined}
        >
          {words.engineOf(engine.level === "good", engine.restarts)}
        </Figure>
      )}
      <Figure name={words.readers} level={readers.level}>
        {words.of(count(readers.open), count(readers.max))}
      </Figure>
      <Figure name={words.requests}>
        {words.requestsOf(count(requests.served), count(requests.refused), count(requests.failed))}
      </Figure>
      <Figure name={words.retention}>{words.days(health.raw_retention_days)}</Figure>
      <Figure name={words.lake} level={lake?.level} more={lake?.error}>
        {lake ? words.lakeDays(lake.days) : words.lakeOff}
      </Figure>
      <Figure name={words.uptime} more={`${words.version} ${health.version}`}>
        {age(shell.now_ms - health.started_ms)}
      </Figure>
    </dl>
  );
}

const STATE_LEVELS: Record<Health["state"], Level> = {
  ready: "good",
  degraded: "near",
  "not ready": "bad",
  stopping: "near",
};

/** A count that is no more than this old needs no word of it. */
const FRESH_MS = 5_000;

function countedText(seen_ms: number, now_ms: number): string {
  if (seen_ms === 0) return `, ${text.health.notCounted}`;
  const age_ms = now_ms - seen_ms;
  return age_ms > FRESH_MS ? `, ${text.machines.ago(age(age_ms))}` : "";
}

/** Each part with when it was last seen to answer; why it does not, and since when. */
function PartList({ health, shell }: AdminHealthProps) {
  const words = text.health;
  return (
    <section class="panel scrolling">
      <h2>{words.parts}</h2>
      <table class="cards">
        <thead>
          <tr>
            <th scope="col">{words.part}</th>
            <th scope="col">{words.state}</th>
            <th scope="col">{words.since}</th>
            <th scope="col">{words.answered}</th>
            <th scope="col">{words.complaint}</th>
          </tr>
        </thead>
        <tbody>
          {health.parts.map(({ part, up, error, since_ms, seen_ms }) => (
            <tr key={part}>
              <th scope="row">{words.partNames[part]}</th>
              <td data-label={words.state}>
                <LevelWord level={up ? "good" : "bad"}>{up ? words.up : words.down}</LevelWord>
              </td>
              <td data-label={words.since}>
                {up ? text.none : text.machines.ago(age(shell.now_ms - since_ms))}
              </td>
              <td data-label={words.answered}>
                {seen_ms > 0
                  ? text.machines.ago(age(Math.max(0, shell.now_ms - seen_ms)))
                  : text.machines.never}
              </td>
              <td data-label={words.complaint} class="wide">
                {error || text.none}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** A figure that has a level says its word where it is not good. */
function Figure({
  name,
  level,
  more,
  children,
}: {
  name: string;
  level?: Level | undefined;
  more?: string | undefined;
  children: ComponentChildren;
}) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <b>{children}</b>
        {level && level !== "good" && <LevelWord level={level}>{text.health.levels[level]}</LevelWord>}
        {more && <span class="hint">{more}</span>}
      </dd>
    </div>
  );
}

/** Machines that cannot be rolled up, and why. */
function WithoutFigures({ health, shell }: AdminHealthProps) {
  const words = text.health;
  if (health.rollup.set_aside.length === 0) return null;
  return (
    <section class="panel scrolling">
      <h2>{words.withoutFigures}</h2>
      <table class="cards">
        <thead>
          <tr>
            <th scope="col">{words.machine}</th>
            <th scope="col">{words.since}</th>
            <th scope="col">{words.again}</th>
            <th scope="col">{words.complaint}</th>
          </tr>
        </thead>
        <tbody>
          {health.rollup.set_aside.map(({ machine_id, name, error, since_ms, again_ms }) => (
            <tr key={machine_id}>
              <th scope="row">
                <a class="cell-link" href={`/admin/machines/${encodeURIComponent(machine_id)}`}>
                  {name}
                </a>
              </th>
              <td data-label={words.since}>{text.machines.ago(age(shell.now_ms - since_ms))}</td>
              <td data-label={words.again}>{words.within(age(Math.max(0, again_ms - shell.now_ms)))}</td>
              <td data-label={words.complaint} class="wide">
                {error}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Sources({ health, shell }: AdminHealthProps) {
  const words = text.health;
  if (health.sources.length === 0) {
    return (
      <section class="panel">
        <h2>{words.sources}</h2>
        <p>
          <a class="cell-link" href="/admin/add">
            {words.noSources}
          </a>
        </p>
      </section>
    );
  }
  return (
    <section class="panel scrolling">
      <h2>{words.sources}</h2>
      <table class="cards">
        <thead>
          <tr>
            <th scope="col">{words.source}</th>
            <th scope="col">{words.machines}</th>
            <th scope="col">{words.contact}</th>
            <th scope="col">{words.heard}</th>
            <th scope="col">{words.gaps}</th>
            <th scope="col">{words.complaint}</th>
          </tr>
        </thead>
        <tbody>
          {health.sources.map((source) => (
            <SourceRow key={source.name} source={source} now_ms={shell.now_ms} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

function SourceRow({ source, now_ms }: { source: Health["sources"][number]; now_ms: number }) {
  const words = text.health;
  const { name, machines, state, heard_ms, lost, error, read_by } = source;
  return (
    <tr>
      <th scope="row" class="address-cell">
        {name}
      </th>
      <td data-label={words.machines} class="wide">
        {machines.map(({ machine_id, name: machine }) => (
          <a key={machine_id} class="cell-link" href={`/admin/machines/${encodeURIComponent(machine_id)}`}>
            {machine}
          </a>
        ))}
      </td>
      <td data-label={words.contact}>
        <ContactWord state={state} />
        {read_by && <span class="address">{words.readBy(read_by)}</span>}
      </td>
      <td data-label={words.heard}>
        {heard_ms > 0 ? text.machines.ago(age(now_ms - heard_ms)) : text.machines.never}
      </td>
      <td data-label={words.gaps}>{lost ? words.gapsOf(lost.gaps, duration(lost.gap_s)) : text.none}</td>
      <td data-label={words.complaint} class="wide">
        {error || text.none}
      </td>
    </tr>
  );
}
