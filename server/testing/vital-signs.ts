// For tests: a running program watched from outside while it is asked for much: is it there, how soon, with how much memory.
import { pace } from "../../.ci/limits.ts";
import { engineOf, residentOf } from "./engine-process.ts";
import type { TestServer } from "./server.ts";

/** So often it is looked at. */
const LOOK_MS = 150;

/** When, ms since 1970, and how much. */
export type Memory = { at_ms: number; server_bytes: number; engine_bytes: number };

export class VitalSigns {
  /** How long GET /healthz took, each time. */
  readonly health_ms: number[] = [];
  /** Answers to GET /healthz that were none, or not 200. */
  readonly unwell: string[] = [];
  readonly memory: Memory[] = [];
  /** The engine's processes, one after the other. */
  readonly engines: number[] = [];
  readonly #server: TestServer;
  #watching = true;
  readonly #done: Promise<unknown>;

  constructor(server: TestServer) {
    this.#server = server;
    // Apart from each other: a slow answer leaves no hole in what is known of memory and processes.
    this.#done = Promise.all([this.#every(() => this.#health()), this.#every(() => this.#processes())]);
  }

  /** The last engine is seen as well. */
  async stop(): Promise<void> {
    this.#watching = false;
    await this.#done;
    this.#processes();
  }

  async #every(look: () => void | Promise<void>): Promise<void> {
    while (this.#watching) {
      const next_ms = performance.now() + LOOK_MS;
      await look();
      await pace(Math.max(0, next_ms - performance.now()));
    }
  }

  async #health(): Promise<void> {
    const asked_ms = performance.now();
    try {
      const answer = await fetch(`${this.#server.origin}/healthz`);
      await answer.text();
      if (answer.status !== 200) this.unwell.push(String(answer.status));
    } catch (error) {
      this.unwell.push(String(error));
    }
    this.health_ms.push(performance.now() - asked_ms);
  }

  #processes(): void {
    const engine = engineOf(this.#server.pid);
    if (engine !== undefined && engine !== this.engines.at(-1)) this.engines.push(engine);
    const [server_bytes, engine_bytes] = [heldBy(this.#server.pid), engine ? heldBy(engine) : 0];
    this.memory.push({ at_ms: Date.now(), server_bytes, engine_bytes });
  }
}

/** 0 of a process that has just ended. */
function heldBy(pid: number): number {
  try {
    return residentOf(pid) || 0;
  } catch {
    return 0;
  }
}
