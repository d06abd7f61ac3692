// Events that analytics refused: what, when, why, the event itself, and what to do about it.
/** @jsxImportSource preact */
import type { AdminEventsProps } from "../../admin-model.ts";
import { bytesText } from "../../components/bytes.ts";
import { dayClock } from "../../format.ts";
import { text } from "../../text.ts";
import { AdminFrame, Done } from "./frame.tsx";

export function AdminEvents(props: AdminEventsProps) {
  const { shell, events, full, done } = props;
  const words = text.events;
  return (
    <AdminFrame shell={shell} room="events" title={words.title}>
      <h1>{words.title}</h1>
      {done && <Done>{words[done.what](done.count)}</Done>}
      {events.length === 0 ? (
        <p class="panel">{words.none}</p>
      ) : (
        <>
          <p>{words.lead}</p>
          {full && <p class="notice">{words.full(events.length)}</p>}
          <All {...props} />
          {events.map((event) => (
            <Event key={event.position} event={event} {...props} />
          ))}
        </>
      )}
    </AdminFrame>
  );
}

function All({ events }: AdminEventsProps) {
  const words = text.events;
  if (events.length < 2) return null;
  return (
    <section class="panel">
      <h2>{words.all}</h2>
      <div class="buttons">
        <form method="post" action="/admin/events">
          <button type="submit" name="do" value="retry">
            {words.retryAll}
          </button>
        </form>
        <details>
          <summary>{words.discardAll}</summary>
          <form class="stack" method="post" action="/admin/events">
            <p>{words.discardAllSure}</p>
            <button type="submit" class="danger" name="do" value="discard">
              {words.discardAll}
            </button>
          </form>
        </details>
      </div>
    </section>
  );
}

function Event({ event, open, shell }: AdminEventsProps & { event: AdminEventsProps["events"][number] }) {
  const words = text.events;
  const { position, machine, type, size_bytes, error, time_ms } = event;
  const here = open?.position === position;
  return (
    <section class="panel stack wide-form" id={`event-${position}`}>
      <h2>{words.event(position)}</h2>
      <dl class="facts">
        <div>
          <dt>{words.since}</dt>
          <dd>{dayClock(time_ms, shell.timezone)}</dd>
        </div>
        <div>
          <dt>{words.machine}</dt>
          <dd>{machine || text.none}</dd>
        </div>
        <div>
          <dt>{words.type}</dt>
          <dd>{type}</dd>
        </div>
        <div>
          <dt>{words.size}</dt>
          <dd>{bytesText(size_bytes)}</dd>
        </div>
      </dl>
      <h3 class="hint">{words.error}</h3>
      <pre class="code error-text" tabindex={0}>
        {error}
      </pre>
      {here ? (
        <>
          <pre class="code" tabindex={0}>
            {open.text}
          </pre>
          {open.cut && <p class="hint">{words.cut}</p>}
        </>
      ) : null}
      <div class="buttons">
        <form method="post" action={`/admin/events/${position}`}>
          <button
            type="submit"
            class="primary"
            name="do"
            value="retry"
            aria-label={`${words.retry}: ${words.event(position)}`}
          >
            {words.retry}
          </button>
        </form>
        {!here && (
          <a
            class="button"
            href={`/admin/events?show=${position}#event-${position}`}
            aria-label={`${words.show}: ${words.event(position)}`}
          >
            {words.show}
          </a>
        )}
        <a
          class="button"
          href={`/api/v1/dead-letters/${position}`}
          download={`event-${position}.json`}
          hx-boost="false"
          aria-label={`${words.file}: ${words.event(position)}`}
        >
          {words.file}
        </a>
        <details>
          <summary aria-label={`${words.discard}: ${words.event(position)}`}>{words.discard}</summary>
          <form class="stack" method="post" action={`/admin/events/${position}`}>
            <p>{words.discardSure}</p>
            <button type="submit" class="danger" name="do" value="discard">
              {words.discard}
            </button>
          </form>
        </details>
      </div>
    </section>
  );
}
