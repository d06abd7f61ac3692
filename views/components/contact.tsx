// How a source is doing, by shape and word; the colour is only there where it needs a hand.
/** @jsxImportSource preact */
import type { Level } from "../admin-model.ts";
import { text } from "../text.ts";

const MARKS: Record<Level, string> = { good: "●", near: "◆", bad: "▲" };

/** Connecting for a moment is no fault; an unreachable source is. */
export const contactLevel = (state: keyof typeof text.source): Level =>
  state === "unreachable" ? "bad" : state === "streaming" || state === "polling" ? "good" : "near";

/** A word of a level: what is beyond its bound, or near it, says so. */
export function LevelWord({ level, children }: { level: Level; children: string }) {
  return (
    <span class="level" data-level={level}>
      <span class="level-mark" aria-hidden="true">
        {MARKS[level]}
      </span>
      {children}
    </span>
  );
}

export const ContactWord = ({ state }: { state: keyof typeof text.source }) => (
  <LevelWord level={contactLevel(state)}>{text.source[state]}</LevelWord>
);
