// Keeps a scanner's keys from whatever has the focus: a code goes where codes go, and presses and fills in nothing else.
import { type Heard, MAX_REST_MS, Scanner } from "./scanner.ts";

/** Space and Enter press what has the focus once they have been alone for so long, before and after. */
const ALONE_MS = 100;
const CONTROLS = "button, a[href], summary, input[type=radio], input[type=checkbox]";

export type OnScan = {
  code: (code: string) => void;
  /** Something of a code is missing. */
  torn: () => void;
};

type Field = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;

/** Listens on the whole page, from now on. */
export function listenForScans({ code, torn }: OnScan): void {
  const scanner = new Scanner();
  const fields = new Fields();
  const press = new Press();
  let silence: ReturnType<typeof setTimeout> | undefined;
  const end = (heard: Heard): void => {
    if (heard.kind === "code") code(heard.code);
    if (heard.kind === "torn") torn();
  };
  const keydown = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    // A key that is held down comes as fast as a scanner's.
    if (event.repeat) {
      if (pressedBy(event)) event.preventDefault();
      return;
    }
    const heard = scanner.key(event.key, event.timeStamp);
    press.key(event, heard);
    fields.key(event, heard);
    if (heard.kind !== "key") event.preventDefault();
    end(heard);
    clearTimeout(silence);
    silence = setTimeout(() => scanner.unended() && torn(), MAX_REST_MS);
  };
  document.addEventListener("keydown", keydown, { capture: true });
  // Browsers press a button as the blank is let go.
  const keyup = (event: KeyboardEvent): void => {
    if (event.key === " " && isControl(event.target)) event.preventDefault();
  };
  document.addEventListener("keyup", keyup, { capture: true });
  // After a touch the button keeps the focus, and whoever touches does not need it there.
  document.addEventListener("click", ({ detail }) => {
    const focused = document.activeElement;
    if (detail > 0 && isControl(focused)) focused.blur();
  });
}

const isControl = (target: EventTarget | null): target is HTMLElement =>
  target instanceof HTMLElement && target.matches(CONTROLS);

/** What a key would press. */
const pressedBy = ({ key, target }: KeyboardEvent): HTMLElement | undefined =>
  (key === " " || key === "Enter") && isControl(target) ? target : undefined;

/** The blanks and the Enter of a code press nothing; a person's do, a moment later. */
class Press {
  #waiting: ReturnType<typeof setTimeout> | undefined;
  #last_ms = Number.NEGATIVE_INFINITY;

  key(event: KeyboardEvent, { kind }: Heard): void {
    clearTimeout(this.#waiting);
    const alone = event.timeStamp - this.#last_ms > ALONE_MS;
    this.#last_ms = event.timeStamp;
    const control = pressedBy(event);
    if (!control) return;
    event.preventDefault();
    if (alone && kind === "key") this.#waiting = setTimeout(() => control.click(), ALONE_MS);
  }
}

/** Until a scan is known as one its first keys are in the field that has the focus: it gets back what it held before. */
class Fields {
  #before: { field: Field; value: string } | undefined;

  key({ target }: KeyboardEvent, heard: Heard): void {
    const field = isField(target) ? target : undefined;
    if (heard.kind !== "key") this.#restore();
    else if (heard.first) this.#before = field && { field, value: field.value };
  }

  #restore(): void {
    const before = this.#before;
    this.#before = undefined;
    if (!before || before.field.value === before.value) return;
    before.field.value = before.value;
    before.field.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

const isField = (target: EventTarget | null): target is Field =>
  target instanceof HTMLElement && target.matches("input, select, textarea") && !isControl(target);
