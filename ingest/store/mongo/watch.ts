// Hears of new events by a change stream. It only ever wakes who also looks by himself, so it need not resume.
import type { ChangeStream } from "mongodb";
import { Trouble } from "../../trouble.ts";
import type { Collections } from "./documents.ts";

const BACKOFF_MS = 5_000;

export type Watch = { stop(): Promise<void> };

/**
 * Calls `arrived` when events were stored, by any process. A stream that ends is opened anew from now, not resumed: what it
 * missed is found by looking, and a token that the server has forgotten (ChangeStreamHistoryLost, 286) hinders nobody.
 */
export function startWatch(
  { outbox }: Pick<Collections, "outbox">,
  arrived: () => void,
  log: (message: string) => void,
): Watch {
  const trouble = new Trouble("change stream, without which the relay looks by itself", log);
  let running = true;
  let stream: ChangeStream | undefined;
  let wake = () => {};

  async function run(): Promise<void> {
    while (running) {
      try {
        stream = outbox.watch([{ $match: { operationType: "insert" } }, { $project: { _id: 1 } }]);
        while (running) {
          await stream.next();
          trouble.over();
          arrived();
        }
      } catch (error) {
        if (!running) break;
        trouble.failed(error);
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, BACKOFF_MS);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      } finally {
        await stream?.close().catch(() => {});
      }
    }
  }

  const done = run();
  return {
    async stop() {
      running = false;
      wake();
      await stream?.close().catch(() => {});
      await done;
    },
  };
}
