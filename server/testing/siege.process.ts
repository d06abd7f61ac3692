// For tests: the attackers of a siege, until their input ends; then what they were answered. `bun siege.process.ts <origin>`.
import { pace } from "../../.ci/limits.ts";
import { callTo } from "./server.ts";
import { READY, type Told } from "./siege.ts";
import { ATTACKS, type Besieged, prepared } from "./siege-attacks.ts";

const STEP_MS = 200;

const origin = process.argv[2] ?? "";
const call = callTo(origin);
const told: Told = { tally: {}, shut_out: [], greedy: [] };
let running = true;
const besieged: Besieged = {
  origin,
  call,
  running: () => running,
  newKey: async (name, scopes = ["read"]) =>
    (await call<{ key: string }>("POST", "/api/v1/keys", { name, scopes })).body.key,
  note(who, outcome) {
    const own = (told.tally[who] ??= {});
    own[outcome] = (own[outcome] ?? 0) + 1;
  },
  async pause(ms) {
    const end_ms = performance.now() + ms;
    while (running && performance.now() < end_ms) await pace(STEP_MS);
  },
  shutOut: (key) => told.shut_out.push(key),
  greedy: (from_ms, to_ms) => told.greedy.push({ from_ms, to_ms }),
};

const material = await prepared();
console.log(READY);
const input = process.stdin[Symbol.asyncIterator]();
if (!(await input.next()).done) {
  const attacking = Promise.all(ATTACKS.map((attack) => attack(besieged, material)));
  // What fails ends all of them at once, and this process with its error.
  await Promise.race([input.next(), attacking]);
  running = false;
  await attacking;
}
console.log(JSON.stringify(told));
process.exit(0);
