// Work that is done again and again in the background, with a rest in between, until it is stopped.

/** Ends the rest and waits for the step under way. */
export type BackgroundLoop = { stop(): Promise<void> };

/**
 * Starts at once and goes on until `stop`.
 * @param step does the work and returns how long to rest, ms; it must not throw. `running` turns false with `stop`
 */
export function backgroundLoop(step: (running: () => boolean) => Promise<number>): BackgroundLoop {
  let running = true;
  let wake = (): void => {};

  const run = async (): Promise<void> => {
    while (running) {
      const rest_ms = await step(() => running);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, rest_ms);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
        if (!running) wake();
      });
    }
  };

  const done = run();
  return {
    async stop() {
      running = false;
      wake();
      await done;
    },
  };
}
