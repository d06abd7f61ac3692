// For tests: an agent and a module that know what they told, beside the clients of a chaos run.
import { until } from "../../../.ci/limits.ts";
import { ScriptedDevice } from "../../../ingest/sources/modbus/scripted-device.ts";
import { ScriptedAgent } from "../../../ingest/sources/mtconnect/scripted-agent.ts";
import type { TestServer } from "../server.ts";
import { must } from "./fault.ts";

const TOLD_EVERY_MS = 200;
/** So many values wait for a program that is away. */
const CAPACITY = 100_000;
const FIRST = 14_000;
const AGENT = "chaos-lathe";
const MODULE = "chaos-press";
const MAP = [{ signal: "part_count", kind: "holding", address: 0, type: "uint32", word_order: "low-first" }];

export class Sources {
  readonly #agent = new ScriptedAgent();
  readonly #module: ScriptedDevice;
  readonly #from = new Date(Date.now() - 1_000).toISOString();
  #count = FIRST;
  #telling: Timer | undefined;

  private constructor(module: ScriptedDevice) {
    this.#module = module;
    this.#agent.capacity = CAPACITY;
  }

  /** Makes their machines, and begins once both have been read. */
  static async start(call: TestServer["call"]): Promise<Sources> {
    const made = new Sources(await ScriptedDevice.start());
    await made.#begin(call);
    return made;
  }

  async #begin(call: TestServer["call"]): Promise<void> {
    this.#show();
    const [agent, module] = [this.#agent, this.#module];
    const sources = {
      [AGENT]: { kind: "mtconnect", url: agent.url, device: "uuid-1" },
      [MODULE]: { kind: "modbus", host: "127.0.0.1", port: module.port, map: MAP, poll_ms: TOLD_EVERY_MS },
    };
    for (const [id, source] of Object.entries(sources)) {
      const { status, body } = await call("POST", "/api/v1/machines", { id, name: id, source });
      must(status === 201, `${id}: ${status} ${JSON.stringify(body)}`);
    }
    await until(() => agent.requests.length > 0 && module.requests.length > 0);
    // The first value that is read counts nothing.
    await until(async () => (await this.#counts(call)) !== undefined);
    this.#telling = setInterval(() => this.#tell(), TOLD_EVERY_MS);
  }

  #tell(): void {
    this.#count += 1;
    this.#show();
    this.#agent.add("m1-speed", String(this.#count));
  }

  #show(): void {
    this.#module.registers.splice(0, 2, this.#count % 65_536, Math.floor(this.#count / 65_536));
  }

  get told(): number {
    return this.#count - FIRST;
  }

  /** Tells nothing further. @returns what is not as it was told, once all had time to come */
  async settle(call: TestServer["call"]): Promise<string[]> {
    clearInterval(this.#telling);
    const wanted = { parts: this.told, speeds: this.told, different: this.told };
    let found: unknown;
    try {
      await until(async () => {
        found = { parts: await this.#counts(call), ...(await this.#speeds(call)) };
        return Bun.deepEquals(found, wanted);
      });
      return [];
    } catch {
      return [`sources told ${JSON.stringify(wanted)}, and there is ${JSON.stringify(found)}`];
    }
  }

  /** Parts of the module; undefined before it was read. */
  async #counts(call: TestServer["call"]): Promise<number | undefined> {
    const to = new Date(Date.now() + 60_000).toISOString();
    const path = `/api/v1/machines/${MODULE}/observations?from=${this.#from}&to=${to}&signal=part_count&limit=1`;
    const { body: read } = await call<{ rows?: unknown[] }>("GET", path);
    if (!read.rows?.length) return undefined;
    const oee = `/api/v1/machines/${MODULE}/oee?from=${this.#from}&to=${to}&by=total`;
    const { body } = await call<{ rows?: { total_count: number }[] }>("GET", oee);
    return body.rows?.[0]?.total_count;
  }

  async #speeds(call: TestServer["call"]) {
    const query = `SELECT count(), uniqExact(num) FROM observations WHERE machine_id = '${AGENT}' AND signal = 'spindle_speed' AND num > ${FIRST}`;
    const { body } = await call<string>("GET", `/sql/?query=${encodeURIComponent(query)}`);
    const [speeds, different] = String(body).trim().split("\t").map(Number);
    return { speeds, different };
  }

  async stop(): Promise<void> {
    clearInterval(this.#telling);
    await Promise.all([this.#agent.stop(), this.#module.stop()]);
  }
}
