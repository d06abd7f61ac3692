// What an operator enters on a machine's page: every touch is an entry in the queue, and has a way back.
import type { Entered } from "../../model.ts";
import { text } from "../../text.ts";
import {
  dismiss,
  type Entry,
  enqueue,
  onQueue,
  pending,
  type Refusal,
  refused,
  startQueue,
  withdraw,
} from "../queue.ts";
import { find, write } from "../screen.ts";
import { beginLot, enterParts, giveReason, type Said, takeBackOf, type Undo } from "./said.ts";
import { listenForScans } from "./scans.ts";
import { type Toast, toast } from "./toasts.ts";
import { lowTone } from "./tone.ts";

declare const htmx: { trigger(selector: string, event: string): void };

/** The panels are drawn anew this often, but not under a finger. */
const REFRESH_MS = 10_000;
const HOLD_MS = 5_000;
/** What was sent is computed soon after. */
const SETTLE_MS = 1_500;

let touched = -HOLD_MS;
/** Entries of this page: `answer` once there is one, and whether they are to be taken back then. */
const mine = new Map<
  string,
  { toast: Toast; undo: Undo | undefined; answer?: { of: unknown }; back?: true }
>();

/** @param now_ms the server's clock: entries carry the time of the touch */
export function startEntry(machine_id: string, now_ms: () => number): void {
  if (!find("#entry")) return;
  const at = () => ({ machine_id, ts: new Date(now_ms()).toISOString() });
  startQueue();
  onQueue(({ entry, state, answer, status = 0 }) => {
    if (state === "refused") showRefused({ ...entry, status, detail: String(Object(answer).detail ?? "") });
    if (state === "sent") answered(entry.id, answer);
    void showWaiting();
  });
  void refused().then((all) => all.forEach(showRefused));
  void showWaiting();
  document.addEventListener("click", ({ target }) => {
    if (target instanceof Element) clicked(target, at());
  });
  document.addEventListener("submit", (event) => submitted(event, at()));
  addEventListener("pointerdown", () => (touched = performance.now()), { passive: true });
  listenForScans({ code: openLot, torn: sayTorn });
  setInterval(refresh, REFRESH_MS);
}

/** Asks for the panels again, unless somebody is about to touch them. */
export function refresh(): void {
  const busy = performance.now() - touched < HOLD_MS || find("dialog[open]") !== null;
  if (!busy && find("#entry")) htmx.trigger("#entry", "refresh");
}

type At = { machine_id: string; ts: string };
type Act = (button: HTMLElement, value: string, at: At) => void;

/** What a touch does, by the button's `data-` name. */
const ACTS: Record<string, Act> = {
  open: ({ dataset }, sheet) => openSheet(sheet, dataset.number),
  close: closeSheet,
  step: (_, step) => stepBy(Number(step)),
  reason(button, reason, at) {
    const sheet = button.closest("dialog");
    const stop = sheet?.dataset.stopFrom
      ? sheet
      : (find("input[name=stop]:checked") ?? find("input[name=stop]"));
    const { stopFrom = at.ts, stopTo = "" } = stop?.dataset ?? {};
    const name = button.textContent ?? reason;
    const note = sheet?.querySelector("textarea")?.value.trim() ?? "";
    write(stop?.closest("label")?.querySelector("b"), name);
    void say(giveReason(at, { from: stopFrom, to: stopTo, reason, name, note }));
    closeSheet(button);
  },
  enter({ dataset }, kind, at) {
    void say(enterParts(at, { kind, count: Number(dataset.count), reason: "" }));
  },
  lotChoice(button, lot, at) {
    void say(beginLot(at, { lot, part: button.dataset.partChoice ?? "", order: "" }));
    closeSheet(button);
  },
  takeBack(button, one, at) {
    void say({ entry: takeBackOf(at, JSON.parse(one) as Entered) });
    button.remove();
  },
};

function clicked(target: Element, at: At): void {
  // A dialog itself is hit only beside what it holds.
  if (target instanceof HTMLDialogElement) target.close();
  const button = target.closest("button");
  for (const [name, act] of Object.entries(ACTS)) {
    const value = button?.dataset[name];
    if (button && value !== undefined) act(button, value, at);
  }
}

function closeSheet(button: HTMLElement): void {
  button.closest("dialog")?.close();
}

/** Forms of sheets close them by themselves (`method="dialog"`). */
function submitted(event: SubmitEvent, at: At): void {
  const form = event.target;
  if (!(form instanceof HTMLFormElement)) return;
  const said = Object.fromEntries(
    [...new FormData(form)].map(([name, value]) => [name, String(value).trim()]),
  );
  const { count = "", reason = "", lot = "", part = "", order = "" } = said;
  if (form.dataset.numberForm !== undefined) {
    const kind = form.closest("dialog")?.dataset.kind ?? "reject";
    void say(enterParts(at, { kind, count: Number(count), reason: kind === "reject" ? reason : "" }));
  }
  if (form.dataset.lotForm !== undefined) void say(beginLot(at, { lot, part, order }));
}

function openSheet(name: string, kind?: string): void {
  const sheet = document.getElementById(`sheet-${name}`);
  if (!(sheet instanceof HTMLDialogElement)) return;
  if (kind !== undefined) sheet.dataset.kind = kind;
  for (const form of sheet.querySelectorAll("form")) form.reset();
  delete sheet.dataset.stopFrom;
  write(find("[data-stop]", sheet), "");
  if (name === "entered") void listUnsent(sheet);
  sheet.showModal();
}

/**
 * All reasons, for one stop. @param said what it is, in words
 * @param stop `to` is "" while it goes on
 */
export function openReasons(said: string, { from, to }: { from: string; to: string }): void {
  const sheet = document.getElementById("sheet-reasons");
  if (!sheet?.querySelector("[data-reason]")) return;
  openSheet("reasons");
  Object.assign(sheet.dataset, { stopFrom: from, stopTo: to });
  write(find("[data-stop]", sheet), said);
}

function stepBy(step: number): void {
  const input = find("[data-number-form] [name=count]");
  if (input instanceof HTMLInputElement) input.value = String(Math.max(1, Number(input.value) + step));
}

/** A scanned code is a lot: the sheet opens with it, and waits for a touch. */
function openLot(code: string): void {
  // Where it is open already, what was typed there stays.
  if (!find("#sheet-lot[open]")) openSheet("lot");
  const input = find("[data-lot-form] [name=lot]");
  if (input instanceof HTMLInputElement) input.value = code;
}

function sayTorn(): void {
  lowTone();
  toast(text.entry.barcode, text.entry.torn);
}

async function say({ entry, undo }: Said): Promise<void> {
  try {
    const { id } = await enqueue(entry);
    const shown = toast(entry.label, text.entry.queued, undo && (() => void undone(id)));
    mine.set(id, { toast: shown, undo });
  } catch (error) {
    toast(entry.label, String(error).includes("full") ? text.entry.full : text.entry.failed);
  }
}

/** One that has not left yet never will; another is taken back by its opposite, once the server's answer is there. */
async function undone(id: string): Promise<void> {
  const known = mine.get(id);
  if (known?.undo === undefined) return;
  if (await withdraw(id)) known.toast.say(text.entry.takenBack);
  else if (known.answer) void say({ entry: known.undo(known.answer.of) });
  else known.back = true;
}

function answered(id: string, answer: unknown): void {
  const known = mine.get(id);
  if (!known) return;
  known.answer = { of: answer };
  known.toast.say(text.entry.sent);
  if (known.back && known.undo) void say({ entry: known.undo(answer) });
  setTimeout(refresh, SETTLE_MS);
}

function showRefused({ id, label, detail, status }: Entry & Refusal): void {
  const shown = mine.get(id)?.toast ?? toast(label, "");
  shown.refuse(`${text.entry.refused}: ${detail || status}`, () => void dismiss(id));
}

async function showWaiting(): Promise<void> {
  const waiting = await pending();
  const note = find("[data-waiting]");
  write(note, waiting.length > 0 ? text.entry.waiting(waiting.length) : "");
  note?.toggleAttribute("hidden", waiting.length === 0);
}

async function listUnsent(sheet: HTMLElement): Promise<void> {
  const items = (await pending()).map(({ label }) => {
    const item = document.createElement("p");
    item.textContent = `${label} — ${text.entry.queued}`;
    return item;
  });
  find("[data-unsent-list]", sheet)?.replaceChildren(...items);
}
