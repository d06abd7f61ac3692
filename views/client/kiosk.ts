// A screen that hangs on a wall for weeks: it opens without the network, stays awake, and knows no accidental menus.
// Service worker and wake lock want HTTPS or localhost; where a browser has them not, the page works as ever.

/** How often the page is kept anew for a start without the network: its figures are at most so old then. */
const KEEP_MS = 60_000;

/** @param isLive whether what the page shows is live: only then it is worth keeping */
export function startKiosk(isLive: () => boolean): void {
  document.addEventListener("contextmenu", (event) => {
    if (!(event.target as Element).closest("input, textarea")) event.preventDefault();
  });
  void stayAwake();
  void workOffline(isLive).catch(() => {});
}

/** The lock ends whenever the page is hidden. */
async function stayAwake(): Promise<void> {
  if (!("wakeLock" in navigator)) return;
  const lock = () => {
    // A battery that runs low refuses it.
    if (document.visibilityState === "visible") navigator.wakeLock.request("screen").catch(() => {});
  };
  document.addEventListener("visibilitychange", lock);
  lock();
}

async function workOffline(isLive: () => boolean): Promise<void> {
  if (!("serviceWorker" in navigator)) return;
  await navigator.serviceWorker.register("/sw.js", { updateViaCache: "none" });
  const { active } = await navigator.serviceWorker.ready;
  const keep = () => {
    if (isLive()) (navigator.serviceWorker.controller ?? active)?.postMessage({ keep: location.href });
  };
  keep();
  setInterval(keep, KEEP_MS);
}
