// The wall's browser code: tiles follow the stream, and what needs a hand moves to the front.

import type { State } from "../../domain/state-rules.ts";
import type { LiveMachine } from "../../ingest/live/live.ts";
import { BY_NEED, byNeed } from "../facts.ts";
import { isOnWall, type Live } from "./live.ts";
import { startQueue } from "./queue.ts";
import { find, mark, run, showMachine, write } from "./screen.ts";

/** Tiles keep their places this long after a touch, so that none moves from under a finger. */
const HOLD_MS = 3_000;
/** A wall whose machines are not the server's is loaded anew, but not more often than this. */
const RELOAD_MS = 15_000;

let touched = -HOLD_MS;
addEventListener("pointerdown", () => (touched = performance.now()), { passive: true });

const loaded = performance.now();
let reload: ReturnType<typeof setTimeout> | undefined;
const tiles = (): HTMLElement[] => [...document.querySelectorAll<HTMLElement>(".tile")];
const tileOf = new Map(tiles().map((tile) => [tile.dataset.machine, tile]));

/** Machines that changed since the last frame: a hundred of them at 10 Hz are drawn once a frame. */
const changed = new Map<string, LiveMachine>();

startQueue();
run(
  (machines, all, live) => {
    if (changed.size === 0) requestAnimationFrame(() => draw(live));
    for (const machine of machines) changed.set(machine.machine_id, machine);
    if (all) checkMachines(machines.map(({ machine_id }) => machine_id));
  },
  undefined,
  isOnWall,
);

function draw(live: Live): void {
  for (const machine of changed.values()) {
    const tile = tileOf.get(machine.machine_id);
    if (tile) showMachine(tile, machine, live.now_ms());
  }
  changed.clear();
  showCounts(live);
}

setInterval(sort, 500);
document.addEventListener("htmx:afterSettle", () =>
  checkMachines(JSON.parse(find("#machines")?.dataset.machines ?? "[]") as string[]),
);

function showCounts(live: Live): void {
  for (const state of BY_NEED) {
    const item = find(`[data-count="${state}"]`);
    const count = [...live.machines.values()].filter((machine) => machine.state === state).length;
    write(item?.querySelector("b"), String(count));
    if (item) mark(item, "empty", String(count === 0));
  }
}

function sort(): void {
  if (performance.now() - touched < HOLD_MS) return;
  const now = tiles();
  const facts = (tile: HTMLElement) => ({
    state: tile.dataset.state as State,
    name: tile.dataset.name ?? "",
  });
  const wanted = now.toSorted((a, b) => byNeed(facts(a), facts(b)));
  if (wanted.every((tile, i) => tile === now[i])) return;
  const focused = document.activeElement;
  find("#tiles")?.append(...wanted);
  if (focused instanceof HTMLElement) focused.focus({ preventScroll: true });
}

/** A machine was added or removed elsewhere: only the server can draw its tile. */
function checkMachines(machine_ids: readonly string[]): void {
  const shown = new Set(tiles().map((tile) => tile.dataset.machine));
  if (machine_ids.length === shown.size && machine_ids.every((id) => shown.has(id))) return;
  clearTimeout(reload);
  reload = setTimeout(() => location.reload(), Math.max(0, RELOAD_MS - (performance.now() - loaded)));
}
