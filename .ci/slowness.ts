// By how much this machine is slower than a quiet one of the kind that the suite's limits are meant for, now.
import { availableParallelism } from "node:os";

/** Of hashing and of a map's look-ups: a second of one core where the suite was written. */
const ROUNDS = 1_200;
const LOOK_UPS = 4_000;

/** A second of known work on each core at once, as the suite works. @returns 1 where it took a second or less */
export async function slowness(): Promise<number> {
  const began_ms = performance.now();
  const cores = Array.from({ length: availableParallelism() }, () =>
    Bun.spawn([process.execPath, import.meta.path], { stdout: "ignore" }),
  );
  await Promise.all(cores.map(({ exited }) => exited));
  return Math.max(1, (performance.now() - began_ms) / 1_000);
}

function work(): void {
  const block = new Uint8Array(1 << 20);
  const seen = new Map<number, number>();
  for (let round = 0; round < ROUNDS; round++) {
    new Bun.CryptoHasher("sha256").update(block).digest();
    for (let i = 0; i < LOOK_UPS; i++) seen.set(i, (seen.get(i) ?? 0) + round);
  }
}

if (import.meta.main) work();
