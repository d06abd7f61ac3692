// A state by shape and word; its colour comes from CSS by `data-state`.
/** @jsxImportSource preact */
import type { State } from "../../domain/state-rules.ts";
import { BY_NEED } from "../facts.ts";
import { text } from "../text.ts";

/** One shape a state, drawn in a square of 24; they differ by outline, not by colour. */
const SHAPES: Record<State, string> = {
  /** A warning triangle with its mark cut out. */
  DOWN: "M12 1.5 23.5 22H.5L12 1.5Zm-1.4 7v6.8h2.8V8.5h-2.8Zm0 8.6v2.6h2.8v-2.6h-2.8Z",
  /** A square. */
  STOPPED: "M3 3h18v18H3z",
  /** A spanner. */
  SETUP:
    "M21.7 6.2a6.5 6.5 0 0 1-8.6 7.9L6 21.2a2.6 2.6 0 0 1-3.7 0 2.6 2.6 0 0 1 0-3.7l7.1-7.1a6.5 6.5 0 0 1 7.9-8.6l-3.9 3.9.6 3.9 3.9.6 3.8-4Z",
  /** A question mark in a broken ring. */
  UNKNOWN:
    "M9 1.4v3a8 8 0 0 0-4.6 4.6h-3A11 11 0 0 1 9 1.4Zm6 0A11 11 0 0 1 22.6 9h-3A8 8 0 0 0 15 4.4v-3ZM1.4 15h3A8 8 0 0 0 9 19.6v3A11 11 0 0 1 1.4 15Zm21.2 0A11 11 0 0 1 15 22.6v-3a8 8 0 0 0 4.6-4.6h3ZM12 6.2c-2.5 0-4.2 1.5-4.3 3.7h2.5c.1-1 .8-1.6 1.8-1.6s1.7.6 1.7 1.4c0 .8-.4 1.2-1.3 1.8-1.2.7-1.7 1.5-1.6 2.9v.4h2.4v-.3c0-.8.3-1.2 1.3-1.8 1.2-.7 1.9-1.6 1.9-3 0-2-1.7-3.5-4.4-3.5Zm-1.4 9.6v2.4h2.7v-2.4h-2.7Z",
  /** An empty ring. */
  IDLE: "M12 1.5a10.5 10.5 0 1 1 0 21 10.5 10.5 0 0 1 0-21Zm0 3.2a7.3 7.3 0 1 0 0 14.6 7.3 7.3 0 0 0 0-14.6Z",
  /** A play triangle. */
  RUNNING: "M5 2.5v19L21.5 12 5 2.5Z",
};

/** Id of a state's symbol; the browser code points `<use>` at it. */
export const symbolId = (state: State): string => `state-${state}`;

/** The shapes and the hatch of unknown time, once a page. */
export function Sprite() {
  return (
    <svg class="sprite" width="0" height="0" aria-hidden="true">
      <title>{text.wall.counts}</title>
      <defs>
        <pattern id="hatch" width="8" height="8" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
          <rect class="hatch-ground" width="8" height="8" />
          <rect class="hatch-line" width="3" height="8" />
        </pattern>
      </defs>
      {BY_NEED.map((state) => (
        <symbol key={state} id={symbolId(state)} viewBox="0 0 24 24">
          <path fill-rule="evenodd" d={SHAPES[state]} />
        </symbol>
      ))}
    </svg>
  );
}

/** The shape alone; always beside its word. */
export function StateIcon({ state }: { state: State }) {
  return (
    <svg class="state-icon" width="24" height="24" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <use href={`#${symbolId(state)}`} />
    </svg>
  );
}

/** Shape and word, for tables and legends. */
export function StateLabel({ state }: { state: State }) {
  return (
    <span class="state-label" data-state={state}>
      <StateIcon state={state} />
      {text.states[state]}
    </span>
  );
}
