// The roll-up in the background tells of what fails, and goes on with the other tenants.
import { expect, test } from "bun:test";
import { until } from "../../.ci/limits.ts";
import { Trouble } from "../../ingest/trouble.ts";
import { keepRolled } from "./keeper.ts";
import type { Roller } from "./roller.ts";

test("a roll-up that fails is told with its cause, and the other tenants' are rolled up", async () => {
  const told: string[] = [];
  const rolled: string[] = [];
  const roller: Pick<Roller, "roll" | "past"> = {
    async roll({ tenant }) {
      rolled.push(tenant);
      if (tenant === "a") throw new Error("", { cause: new Error("header too large") });
    },
    past: async () => undefined,
  };
  const troubleOf = (what: string) => new Trouble(what, (line) => told.push(line));
  const troubles = { today: troubleOf("roll-up"), past: troubleOf("roll-up of the past") };
  const tenants = () => new Map(["a", "b"].map((tenant) => [tenant, ["m"]]));
  const keeper = keepRolled(roller, tenants, troubles);
  await until(() => rolled.includes("b"));
  await keeper.stop();
  expect(rolled).toEqual(["a", "b"]);
  // That the past is well is no word on today.
  expect(told).toEqual(["roll-up: header too large"]);
  expect(troubles.today.failing?.error).toBe("header too large");
});
