// For tests: the figures of what was acknowledged, by the oracle, against those that the program tells.
import { until } from "../../../.ci/limits.ts";
import type { OeeRow } from "../../../analytics-sql/queries/oee.ts";
import type { StateRow } from "../../../analytics-sql/queries/states.ts";
import { accountOf, differences, stretchesOf, totalOf } from "../../../analytics-sql/testing/expected.ts";
import type { Plant } from "../../../analytics-sql/testing/plant.ts";

import type { TestServer } from "../server.ts";
import type { Ledger } from "./ledger.ts";

export const IDEAL_CYCLE_S = 5;
/** What figures are not about. */
const MEANINGLESS = "load";

export type Span = { from_us: number; to_us: number };

/** @returns what differs of a machine's figures and states, each in words */
export async function figuresOff(
  call: TestServer["call"],
  ledger: Ledger,
  machine: string,
  { from_us, to_us }: Span,
): Promise<string[]> {
  const plant: Plant = {
    machine,
    seen: ledger.seenBy(machine).filter(({ signal }) => signal !== MEANINGLESS),
    cycle_times: [{ part: "", valid_from_us: 0, ideal_cycle_s: IDEAL_CYCLE_S }],
  };
  const account = accountOf("default", plant, { from_us, to_us, as_of_us: to_us });
  const own = `/api/v1/machines/${machine}`;
  const window = `from=${time(from_us)}&to=${time(to_us)}`;
  const { rows } = await answered<OeeRow>(call, `${own}/oee?${window}&by=total`);
  const off = differences(rows, new Map([["", totalOf([account])]]));
  const states = await answered<StateRow>(call, `${own}/states?${window}&limit=100000`);
  const told = states.rows.map((row) => [
    row.from,
    row.to,
    row.state,
    row.reason,
    row.reason_from,
    row.cause,
  ]);
  if (!Bun.deepEquals(told, stretchesOf(account))) off.push("its states are others");
  return off.map((words) => `${machine}: ${words}`);
}

const time = (us: number): string => new Date(us / 1_000).toISOString();

const answered = <Row>(call: TestServer["call"], path: string): Promise<{ rows: Row[] }> =>
  until(async () => {
    const { status, body } = await call<{ rows: Row[] }>("GET", path);
    return status === 200 && body;
  });
