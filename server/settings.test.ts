// Every setting and entry that is accepted, whatever it is, leaves the figures of all machines calculable.
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { limit_ms } from "../.ci/limits.ts";
import { losses } from "../analytics-sql/queries/losses.ts";
import { oee } from "../analytics-sql/queries/oee.ts";
import { states } from "../analytics-sql/queries/states.ts";
import { Roller } from "../analytics-sql/rollup/roller.ts";
import { testEngine } from "../analytics-sql/testing/engine.ts";
import { ColumnsBuilder } from "../ingest/columns.ts";
import { LiveHub } from "../ingest/live/hub.ts";
import { createPipeline } from "../ingest/pipeline.ts";
import { BadInput } from "../ingest/problem.ts";
import { openSqlite } from "../ingest/store/sqlite.ts";
import { Annotations } from "./modules/downtime/service.ts";
import { Machines } from "./modules/machines/service.ts";
import { Reasons } from "./modules/reasons/service.ts";
import { Problem } from "./plugins/errors.ts";
import { isTaken, KINDS, type Kind, settingsOf, T0_US } from "./testing/odd-settings.ts";

const TENANTS = 2;
const MACHINES = 25;
/** Cuts that read different sums; each call costs a plan. */
const CUTS = ["total", "hour", "shift", "day", "machine", "part", "order"] as const;
const HOUR_US = 3_600_000_000;

const seed = Number(process.env.MTC_TEST_SEED ?? (Math.random() * 2 ** 31) >>> 0);
const dir = mkdtempSync(`${tmpdir()}/mtc-settings-`);
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** The program's own services over a store of their own; what they commit is in the outbox. */
async function open() {
  const store = await openSqlite({ file: `${dir}/log.sqlite`, max_outbox_bytes: 1 << 30 });
  const hub = new LiveHub();
  const pipeline = await createPipeline({ store, hub, wake: () => {}, now_ms: Date.now });
  const machines = await Machines.open({ store, pipeline, hub });
  return {
    store,
    pipeline,
    machines,
    reasons: new Reasons(store, pipeline),
    said: new Annotations(store, pipeline),
  };
}

/** Two hours of running with a stop of a third of a second, and of one machine in two a counter. */
function day_of_work(counts: boolean): ColumnsBuilder {
  const seen = new ColumnsBuilder();
  seen.add("execution", T0_US, 0, "ACTIVE");
  seen.add("execution", T0_US + HOUR_US, 0, "STOPPED");
  seen.add("execution", T0_US + HOUR_US + 333_333, 0, "ACTIVE");
  seen.add("execution", T0_US + 2 * HOUR_US, 0, "READY");
  seen.add("program", T0_US, 0, "A");
  if (counts) for (let i = 0; i <= 10; i++) seen.add("part_count", T0_US + (i * HOUR_US) / 5, 0, i);
  return seen;
}

test(
  "invariant 7: no accepted setting or entry stops a figure of any machine",
  async () => {
    console.log(`settings at random: MTC_TEST_SEED=${seed}`);
    const engine = await testEngine();
    const { store, pipeline, machines, reasons, said } = await open();
    const logged: string[] = [];
    const taken: Record<string, unknown[]> = {};
    const accepted = new Map<Kind, number>();
    const values = Object.fromEntries(
      KINDS.map((kind) => [kind, settingsOf(kind, seed, 6 * TENANTS * MACHINES)]),
    ) as Record<Kind, unknown[]>;

    /** As the API does: what the schema or the service refuses is no setting. */
    async function set(kind: Kind, to: string, call: (value: never) => Promise<unknown>): Promise<void> {
      const value = values[kind].pop();
      if (!isTaken(kind, value)) return;
      try {
        await call(value as never);
      } catch (error) {
        if (error instanceof BadInput || error instanceof Problem) return;
        throw error;
      }
      (taken[to] ??= []).push({ [kind]: value });
      accepted.set(kind, (accepted.get(kind) ?? 0) + 1);
    }

    const tenants = Array.from({ length: TENANTS }, (_, i) => `plant-${i}`);
    for (const tenant of tenants) {
      for (let i = 0; i < 70; i++) await set("reasons", tenant, (tree) => reasons.set(tenant, tree));
      for (let i = 0; i < MACHINES; i++) {
        const id = `${tenant}-m${i}`;
        const machine = await machines.create(tenant, { id, name: id });
        const seen = day_of_work(i % 2 === 0);
        await pipeline.observe(machine, seen.bytes(), seen.columns());
        // The first of each plant is left as it is: its figures are known.
        for (let n = 0; n < 3 && i > 0; n++) {
          await set("policy", id, (policy) => machines.setPolicy(tenant, id, policy));
          // Of those one in ten is accepted.
          for (let i = 0; i < 2; i++)
            await set("calendar", id, (calendar) => machines.setCalendar(tenant, id, calendar));
          await set("cycle_times", id, (list) => machines.setCycleTimes(tenant, id, list));
          await set("rejects", id, (entry) => machines.addRejects(tenant, id, entry));
          await set("lot", id, (entry) => machines.addLot(tenant, id, entry));
          await set("downtime", id, (entry) => said.add(machine, entry, { by: "" }));
          await set("counts", id, (entry) => machines.addCounts(tenant, id, entry));
          await set("spike", id, (entry) => machines.decideSpike(tenant, id, entry));
        }
      }
    }
    // The test tests something: of each kind many were accepted.
    for (const kind of KINDS) expect([kind, (accepted.get(kind) ?? 0) >= 5]).toEqual([kind, true]);

    await engine.insertEvents(await store.readOutbox(100_000, 1 << 30));
    await store.close();
    const roller = new Roller(engine, (message) => logged.push(message));
    for (const tenant of tenants) {
      const own_machines = Array.from({ length: MACHINES }, (_, i) => `${tenant}-m${i}`);
      const window = {
        tenant,
        machines: own_machines,
        from_us: T0_US - 24 * HOUR_US,
        to_us: T0_US + 48 * HOUR_US,
        as_of_us: T0_US + 96 * HOUR_US,
      };
      await roller.roll(window);
      const aside = roller.setAside(window);
      expect(aside.map(({ machine, error }) => ({ error, taken: [taken[tenant], taken[machine]] }))).toEqual(
        [],
      );
      for (const by of CUTS) {
        const { rows, total } = await oee(engine, { ...window, by, groups: own_machines });
        for (const row of [...rows, ...(total ? [total] : [])])
          for (const value of Object.values(row)) if (typeof value === "number") expect(value).toBeFinite();
        if (by === "machine")
          expect(rows.find(({ machine_id }) => machine_id === `${tenant}-m0`)).toMatchObject({
            run_time_s: 7_199.666667,
            total_count: 10,
            stop_count: 2,
          });
      }
      await losses(engine, window, "time");
      await states(engine, window);
    }
    expect(logged).toEqual([]);
  },
  limit_ms(120),
);
