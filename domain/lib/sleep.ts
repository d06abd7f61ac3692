// A rest that a stop ends.

/** Waits; returns early, without an error, when the signal aborts. */
export function sleep(delay_ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, delay_ms);
    signal.addEventListener("abort", done);
  });
}
