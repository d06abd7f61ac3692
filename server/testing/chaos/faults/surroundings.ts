// For tests: what becomes of the embedded program's disk and its clock.
import { pace, until } from "../../../../.ci/limits.ts";
import type { Embedded } from "../embedded.ts";
import { between_ms, type Fault, must } from "../fault.ts";

const KEY = { name: "disk", scopes: ["read"] };
const FULL_MS = [200, 2_000] as const;

export const fullDisk: Fault<Embedded> = {
  name: "a full disk",
  lacks: ({ disk }) => (disk ? undefined : "the right to mount a small disk"),
  async run({ disk, call }, random) {
    if (!disk) throw new Error("there is no small disk");
    try {
      disk.fill();
      // It says so of whatever would make the store grow, as soon as it is there.
      const { status, body } = await until(() => call("POST", "/api/v1/keys", KEY).catch(() => undefined));
      must(status === 503, `on a full disk a key is made: ${status} ${JSON.stringify(body)}`);
      await pace(between_ms(random, ...FULL_MS));
    } finally {
      disk.free();
    }
    return performance.now();
  },
};

/** Not so far back that what is posted is of more than a day ahead. */
const STEPS = ["-2", "+90", "-12h", "+40d"];
const WRONG_MS = [300, 2_000] as const;

/** A start in the wrong time is another thing: then what modules tell is of that time (SPEC 5.9). */
export const wrongClock: Fault<Embedded> = {
  name: "a wrong clock",
  lacks: ({ has_clock }) => (has_clock ? undefined : "libfaketime"),
  run: (plant, random) =>
    plant.alone(async () => {
      plant.setClock(STEPS[Math.floor(STEPS.length * random())] ?? "");
      await pace(between_ms(random, ...WRONG_MS));
      plant.setClock("+0");
      return performance.now();
    }),
};
