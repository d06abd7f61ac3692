// For tests: the cluster that a chaos run torments: two processes of each role, and the parts that they stand on.
import { mutex } from "../../../domain/lib/mutex.ts";
import type { Role } from "../../config.ts";
import { type Cluster, startCluster } from "../cluster.ts";
import { keptInMongo } from "../kept.ts";
import { callTo, emptied, type TestServer } from "../server.ts";
import type { Random } from "./fault.ts";
import { type EventsBy, observationsBy } from "./ledger.ts";
import type { Standing } from "./watch.ts";

const ROLES: Role[] = ["api", "collect", "relay"];
const OF_EACH = 2;
/** Of what each process said. */
const OUTPUT_CHARACTERS = 20_000;

export class Clustered {
  readonly cluster: Cluster;
  readonly #processes: Record<Role, TestServer[]>;
  #life = 0;
  /** One process falls at a time: a plant has two of each so that it goes on. */
  readonly #alone = mutex();

  private constructor(cluster: Cluster, processes: Record<Role, TestServer[]>) {
    this.cluster = cluster;
    this.#processes = processes;
  }

  static async start(): Promise<Clustered> {
    const cluster = await startCluster();
    try {
      const processes: Record<Role, TestServer[]> = { api: [], collect: [], relay: [] };
      for (const role of ROLES)
        for (let n = 0; n < OF_EACH; n++) processes[role].push(await cluster.start([role]));
      return new Clustered(cluster, processes);
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  get origins(): string[] {
    return this.#processes.api.map(({ origin }) => origin);
  }

  /** To a process that serves; one of them always stands. */
  get call(): TestServer["call"] {
    return callTo(this.origins[0] ?? "");
  }

  get standing(): Standing {
    return {
      origins: ROLES.flatMap((role) => this.#processes[role].map(({ origin }) => origin)),
      life: this.#life,
    };
  }

  /** kill -9 of one of a role, and another one in its place. @returns when it was killed */
  killOne(role: Role, random: Random): Promise<number> {
    return this.#alone(async () => {
      const [one] = this.#processes[role].splice(Math.floor(OF_EACH * random()), 1);
      this.#life += 1;
      await one?.kill();
      const killed_ms = performance.now();
      this.#processes[role].push(await this.cluster.start([role]));
      this.#life += 1;
      return killed_ms;
    });
  }

  settled(): Promise<void> {
    return emptied((method, path) => this.call(method, path), 240);
  }

  async eventsBy(): Promise<EventsBy> {
    return observationsBy(await keptInMongo(this.cluster.settings.MTC_MONGO_URL ?? ""));
  }

  output(): string {
    const all = ROLES.flatMap((role) => this.#processes[role]);
    return all.map((one) => one.output().slice(-OUTPUT_CHARACTERS)).join("\n");
  }

  end(): Promise<void> {
    return this.cluster.stop();
  }
}
