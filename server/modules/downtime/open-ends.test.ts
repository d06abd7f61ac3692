// Ends that are said once: by what two looks find, of which the first may have seen half of what was on its way in.
import { expect, test } from "bun:test";
import { until } from "../../../.ci/limits.ts";
import type { Machine } from "../../../ingest/store/store.ts";
import { endOpenReasons } from "./open-ends.ts";

const FROM = "2026-01-05T08:00:00.000000Z";
const NEXT_DAY = "2026-01-06T00:00:00.000000Z";
const NOON = "2026-01-05T12:00:00.000000Z";

/** A machine with one open reason, and what each look at its states finds: since when it ran again. */
function stopped(looks: string[]) {
  const machine = { id: "m1", tenant_id: "default" } as Machine;
  const changes: unknown[] = [];
  let looked = 0;
  const deps = {
    machines: { all: () => [machine], byId: () => machine },
    annotations: {
      onSaid() {},
      open: async () =>
        changes.length > 0 ? [] : [{ id: "a1", from_us: Date.parse(FROM) * 1_000, by: "k" }],
      async change(_: Machine, id: string, { to }: { to: string }) {
        changes.push([id, to]);
      },
    },
    engine: { visibleUntil_us: () => Date.now() * 1_000 },
    reports: {
      states: async () => [{ state: "RUNNING", from: looks[Math.min(looked++, looks.length - 1)] }],
    },
    hub: { snapshot: () => ({ machines: [{ since_us: 1 }] }) },
    log(message: string) {
      throw new Error(message);
    },
  };
  return { deps: deps as unknown as Parameters<typeof endOpenReasons>[0], changes };
}

test("invariant 3: an end that one look finds and the next does not is not said", async () => {
  const { deps, changes } = stopped([NEXT_DAY, NOON]);
  const ends = endOpenReasons(deps);
  await until(() => (changes.length > 0 ? true : undefined));
  await ends.stop();
  expect(changes).toEqual([["a1", NOON]]);
});

test("nor one that was found while something was on its way in", async () => {
  const { deps, changes } = stopped([NEXT_DAY, NEXT_DAY, NOON]);
  const began_us = Date.now() * 1_000;
  let looks = 0;
  // The insert under way began before the first look, and has not ended at the second.
  deps.engine.visibleUntil_us = () => (++looks <= 2 ? began_us - 1 : Date.now() * 1_000);
  const ends = endOpenReasons(deps);
  await until(() => (changes.length > 0 ? true : undefined));
  await ends.stop();
  expect(changes).toEqual([["a1", NOON]]);
});
