// Gives back to the system what the engine's allocator keeps of what it was given once.
import { type BackgroundLoop, backgroundLoop } from "../../domain/lib/background-loop.ts";

const EVERY_MS = 5_000;
/** As much may be kept beyond what was in use when it was last given back: a roll-up's, an insert's, again and again. */
const KEPT_BYTES = 128 * 1024 ** 2;

type Process = { up: boolean; resident_bytes(): number };

/**
 * Of a query's gigabyte the engine holds nearly all for as long as nobody asks for much again: jemalloc gives back pages
 * as it is called, and has no thread for it here. Costs 10 ms, and 0.3 s for each gigabyte.
 * @param purge has the engine give back what it does not use; where it fails, the next one may do
 */
export function purgeOften(process: Process, purge: () => Promise<void>): BackgroundLoop {
  let used_bytes = 0;
  return backgroundLoop(async () => {
    used_bytes = Math.min(used_bytes, process.resident_bytes());
    if (process.up && process.resident_bytes() > used_bytes + KEPT_BYTES) {
      await purge().catch(() => undefined);
      used_bytes = process.resident_bytes();
    }
    return EVERY_MS;
  });
}
