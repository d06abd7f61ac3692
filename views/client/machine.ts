// A machine's page in the browser: state, words and alarms from the stream; charts; what operators enter.
import type { LiveMachine } from "../../ingest/live/live.ts";
import { activeConditions, word } from "../facts.ts";
import { clockOrDay } from "../format.ts";
import { text } from "../text.ts";
import { Charts } from "./charts.ts";
import { refresh, startEntry } from "./entry/entry.ts";
import { listenForStops } from "./entry/stops.ts";
import type { Live } from "./live.ts";
import { find, run, showMachine, timezone, write } from "./screen.ts";

const page = find("main.machine");
const machine_id = page?.dataset.machine ?? "";
const panel = find(".machine-trends");
const charts = panel && new Charts(panel, machine_id);

const live = run(
  (machines, all, link) => {
    const machine = machines.find((candidate) => candidate.machine_id === machine_id);
    if (!page || !machine) return;
    showAll(page, machine, link);
    charts?.show(machine, link, all);
  },
  (state, link) => charts?.connection(state === "lost", link.heard_ms()),
);
if (live) startEntry(machine_id, live.now_ms);
listenForStops();

function showAll(root: HTMLElement, machine: LiveMachine, link: Live): void {
  const now_ms = link.now_ms();
  const before = root.dataset.state;
  showMachine(root, machine, now_ms);
  if (root.dataset.state !== before) refresh();
  write(find("[data-source]", root), text.source[machine.source]);
  for (const element of root.querySelectorAll<HTMLElement>("[data-signal-word]"))
    write(element, word(machine, element.dataset.signalWord ?? "") || text.none);
  showConditions(root, machine, now_ms);
}

function showConditions(root: HTMLElement, machine: LiveMachine, now_ms: number): void {
  const list = find("[data-conditions]", root);
  if (!list) return;
  const items = activeConditions(machine).map(({ code, what, level, ts_us }) => {
    const item = document.createElement("li");
    item.className = "condition";
    item.dataset.level = level;
    const parts = [
      ["b", level === "FAULT" ? text.machine.fault : text.machine.warning],
      ["code", code],
      ["span", what],
      ["time", text.wall.since(clockOrDay(ts_us / 1000, now_ms, timezone))],
    ] as const;
    for (const [tag, words] of parts) {
      const part = document.createElement(tag);
      part.textContent = words;
      item.append(part, " ");
    }
    return item;
  });
  if (list.textContent !== items.map((item) => item.textContent).join("")) list.replaceChildren(...items);
}
