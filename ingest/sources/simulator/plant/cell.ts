// CNCs behind one agent: their lives told to it, live and of the past, and what becomes of them when it restarts.
import { type AgentOptions, type Dialect, type SimulatedAgent, startAgent } from "../agent.ts";
import { cncLife } from "./cnc-day.ts";
import { type Cnc, deviceModel, signalsFor } from "./machines.ts";
import { type Truth, truthOf } from "./segment.ts";
import { Teller, type Telling } from "./teller.ts";

/** Between two samples of a machine that cuts. */
const HISTORY_STEP_US = 45_000_000;
/** Room in the agent's ring beside the history: the agent's usual size. */
const LIVE_BUFFER = 131_072;

export type CellOptions = Omit<AgentOptions, "devices" | "started_us" | "dialect"> & {
  dialect: Dialect;
  cncs: Cnc[];
  seed: string;
  /** The plant's time at which the past begins and at which it goes over into the present. */
  history_us: number;
  start_us: number;
};

export class Cell {
  readonly agent: SimulatedAgent;
  readonly #cncs: Map<string, Cnc>;
  readonly #tellers: Teller[];
  readonly #seed: string;
  readonly #history_us: number;
  /** The adapters are off the agent until then, µs. */
  #away_until_us = 0;

  constructor({ cncs, seed, history_us, start_us, dialect, ...agent }: CellOptions) {
    this.#cncs = new Map(cncs.map((cnc) => [cnc.uuid, cnc]));
    this.#seed = seed;
    this.#history_us = history_us;
    this.#tellers = cncs.map(
      (cnc) => new Teller(cnc, signalsFor(dialect), cncLife(cnc, seed, history_us), history_us),
    );
    const history = this.#advance(start_us, HISTORY_STEP_US);
    this.agent = startAgent({
      buffer_size: history.length + LIVE_BUFFER,
      ...agent,
      dialect,
      devices: cncs.map((cnc) => deviceModel(cnc, dialect)),
      started_us: history_us,
    });
    this.#tell(history);
  }

  get cncs(): Cnc[] {
    return [...this.#cncs.values()];
  }

  /** Lives on until `to_us`; a long sleep is told as thinly as history is. */
  advance(to_us: number, step_us: number): void {
    const from_us = this.#away_until_us;
    if (from_us > 0) {
      // What the machines do meanwhile nobody hears.
      this.#advance(Math.min(to_us, from_us), step_us);
      if (to_us < from_us) return;
      this.#away_until_us = 0;
      this.#tell(this.#tellers.flatMap((teller) => teller.everything(from_us)));
    }
    this.#tell(this.#advance(to_us, Math.min(step_us, HISTORY_STEP_US)));
  }

  /** The agent comes back as a new instance that knows nothing; its adapters find it again at `back_us`. */
  async restart(back_us: number): Promise<void> {
    this.#away_until_us = Math.max(this.#away_until_us, back_us);
    await this.agent.restart();
  }

  /** What a machine truly did; undefined where it is not one of this cell. */
  truth(uuid: string, from_us: number, to_us: number): Truth | undefined {
    const cnc = this.#cncs.get(uuid);
    return cnc && truthOf(cncLife(cnc, this.#seed, this.#history_us), from_us, to_us);
  }

  #advance(to_us: number, step_us: number): Telling[] {
    const told = this.#tellers.flatMap((teller) => teller.advance(to_us, step_us));
    return told.sort((a, b) => a.ts_us - b.ts_us);
  }

  #tell(tellings: Telling[]): void {
    for (const { ts_us, uuid, item, tool } of tellings)
      if (item) this.agent.add(uuid, item.id, ts_us, item.value);
      else if (!tool) this.agent.setUnavailable(uuid, ts_us);
      else if ("put" in tool) this.agent.putAsset(uuid, { ...tool.put, timestamp_us: ts_us });
      else this.agent.removeAsset(tool.remove, ts_us);
  }
}
