// Writes live values into the elements the server rendered, found by their `data-` names.
import type { LiveDelta, LiveMachine } from "../../ingest/live/live.ts";
import { freshness, partOf } from "../facts.ts";
import { age, clock, clockOrDay, timer } from "../format.ts";
import { text } from "../text.ts";
import { heardText, note, sinceText } from "../wording.ts";
import { startKiosk } from "./kiosk.ts";
import { follow, isKept, type Live } from "./live.ts";
import { restartWhenIdle } from "./restart.ts";

/** The plant's zone, as the page was made for it. */
export const timezone = document.documentElement.dataset.timezone ?? "UTC";

/** The first element that matches, if it is there. */
export const find = (selector: string, root: ParentNode = document): HTMLElement | null =>
  root.querySelector(selector);

const places = new WeakMap<Element, Map<string, HTMLElement | null>>();

/** As `find`, but looked for once: a wall asks for the same places of two hundred tiles every second. */
function place(selector: string, root: HTMLElement): HTMLElement | null {
  const known = places.get(root) ?? new Map<string, HTMLElement | null>();
  places.set(root, known);
  const found = known.get(selector);
  // A fragment may have replaced it.
  if (found?.isConnected) return found;
  const anew = find(selector, root);
  known.set(selector, anew);
  return anew;
}

/** Sets text only where it changed: a wall of machines must not repaint every second. */
export function write(element: Element | null | undefined, words: string): void {
  if (!element || element.textContent === words) return;
  const [only] = element.childNodes;
  // Changing a text node's data is far cheaper than replacing the node: no element's style is looked at anew.
  if (words !== "" && element.childNodes.length === 1 && only instanceof Text) only.data = words;
  else element.textContent = words;
}

/** Sets a `data-` attribute only where it changed. @returns whether it did */
export function mark(element: HTMLElement, name: string, value: string): boolean {
  if (element.dataset[name] === value) return false;
  element.dataset[name] = value;
  return true;
}

/** State, note and part of a tile or a machine's page. */
export function showMachine(root: HTMLElement, live: LiveMachine, now_ms: number): void {
  const since = sinceText(live, { now_ms, timezone });
  const isNew = mark(root, "state", live.state) || place("[data-since-text]", root)?.textContent !== since;
  if (isNew) {
    root.querySelector(".state-line use")?.setAttribute("href", `#state-${live.state}`);
  }
  write(place("[data-word]", root), text.states[live.state]);
  write(place("[data-note]", root), note(live));
  write(place("[data-part]", root), partOf(live) || text.none);
  write(place("[data-since-text]", root), since);
  // Otherwise the second's tick moves timer and age of all machines at once: one repaint, not ten.
  if (isNew) showAge(root, live, now_ms);
}

/** What changes by the second: the running timer and the age of the data. */
export function showAge(root: HTMLElement, live: LiveMachine, now_ms: number): void {
  write(place("[data-timer]", root), live.since_us > 0 ? timer(now_ms - live.since_us / 1000) : text.none);
  write(place("[data-heard-text]", root), heardText(live.heard_ms, now_ms));
  mark(root, "age", freshness(now_ms - live.heard_ms));
}

/**
 * Connects a page to its stream: band, clock and timers are kept here, machines are the caller's.
 * While the connection is lost the timers stand still: an old state is not shown as going on.
 */
export function run(
  changed: (machines: LiveMachine[], all: boolean, live: Live) => void,
  link?: (state: "live" | "lost", live: Live) => void,
  concerns?: (delta: LiveDelta) => boolean,
): Live | undefined {
  const url = find("[data-stream]")?.dataset.stream;
  if (!url) return undefined;
  const root = document.documentElement;
  const isLive = () => root.dataset.link === "live";
  const live: Live = follow(url, {
    concerns,
    changed: (machines, all) => changed(machines, all, live),
    live: () => {
      root.dataset.link = "live";
      find("[data-band]")?.setAttribute("hidden", "");
      link?.("live", live);
      // A page that was kept has old figures and words around its live states.
      if (isKept) restartWhenIdle(isLive);
    },
    lost: (heard_ms, signedOut) => {
      root.dataset.link = "lost";
      showBand(heard_ms, signedOut);
      showBandAge(live);
      link?.("lost", live);
    },
    updated: () => restartWhenIdle(isLive),
  });
  setInterval(() => {
    write(find("[data-clock]"), clock(live.now_ms(), timezone));
    if (!isLive()) return showBandAge(live);
    for (const element of document.querySelectorAll<HTMLElement>("[data-live]")) {
      const machine = live.machines.get(element.dataset.machine ?? "");
      if (machine) showAge(element, machine, live.now_ms());
    }
  }, 1000);
  startKiosk(isLive);
  return live;
}

function showBand(heard_ms: number, signedOut: boolean): void {
  const band = find("[data-band]");
  const words = band && find("[data-band-words]", band);
  if (!band || !words) return;
  const since = text.link.lost(clockOrDay(heard_ms, Date.now(), timezone));
  write(words, signedOut ? `${text.link.signedOut} ${since}` : since);
  if (signedOut) {
    const link = document.createElement("a");
    link.href = `/sign-in?next=${encodeURIComponent(location.pathname)}`;
    link.textContent = text.link.signIn;
    words.append(" ", link);
  }
  band.removeAttribute("hidden");
}

/** Beside the alarm, not in it: a screen reader says once that the connection is gone, not every minute. */
const showBandAge = (live: Live): void =>
  write(find("[data-band-age]"), text.link.age(age(live.now_ms() - live.heard_ms())));
