// A page restarts itself after an update: once nobody touches it, nothing is open and nothing waits to be sent.
import { pending } from "./queue.ts";

/** So long nobody may have touched the page. */
const IDLE_MS = 8_000;
/** Where the page comes back the same (a roll-out half done), it tries again, but not more often than this. */
const AGAIN_MS = 60_000;
const TRIED = "mtc-restarted-ms";

let touched_ms = performance.now();
for (const name of ["pointerdown", "pointermove", "keydown", "wheel", "input"])
  addEventListener(name, () => (touched_ms = performance.now()), { passive: true, capture: true });

let isWaiting = false;

/** Loads the page anew as soon as that disturbs nobody. @param isLive without a connection there is nothing to load */
export function restartWhenIdle(isLive: () => boolean): void {
  if (isWaiting) return;
  isWaiting = true;
  setInterval(async () => {
    const waits_ms = Date.now() - Number(sessionStorage.getItem(TRIED) ?? 0);
    if (performance.now() - touched_ms < IDLE_MS || waits_ms < AGAIN_MS || !isLive() || isEntering()) return;
    // Entries that wait are safe; but what became of them is shown on the page that made them.
    if ((await pending().catch(() => [])).length > 0) return;
    sessionStorage.setItem(TRIED, String(Date.now()));
    location.reload();
  }, 1_000);
}

/** A sheet is open, or a field holds what was typed. */
function isEntering(): boolean {
  if (document.querySelector("dialog[open]")) return true;
  const focused = document.activeElement;
  return (
    (focused instanceof HTMLInputElement || focused instanceof HTMLTextAreaElement) && focused.value !== ""
  );
}
