// For tests: the embedded program that a chaos run torments: one process with its engine, at one port, on one directory.
import { rmSync, writeFileSync } from "node:fs";
import { fakedBy, findFaketime } from "../../../.ci/faketime.ts";
import { prepareEngine } from "../../../analytics-sql/testing/prepared.ts";
import { mutex } from "../../../domain/lib/mutex.ts";
import { freePort } from "../../../ingest/free-ports.ts";
import { engineOf } from "../engine-process.ts";
import { keptInSqlite } from "../kept.ts";
import { type ReleaseBefore, releaseBefore } from "../release-before.ts";
import { startServer, type TestServer, tempDir } from "../server.ts";
import { type SmallDisk, smallDisk } from "../small-disk.ts";
import { type EventsBy, observationsBy } from "./ledger.ts";
import type { Standing } from "./watch.ts";

const DISK = "512m";

export class Embedded {
  readonly port = freePort();
  readonly origins = [`http://127.0.0.1:${this.port}`];
  /** The one that its data is on, where one may be mounted. */
  readonly disk: SmallDisk | undefined;
  readonly before: ReleaseBefore | undefined;
  readonly data_dir: string;
  readonly #clock: string | undefined;
  readonly #env: Record<string, string>;
  #server: TestServer | undefined;
  /** Odd while the process must not be asked. */
  #life = 1;
  /** What has the process stand or fall, or needs that it stands: one after the other. */
  readonly alone = mutex();

  private constructor({ whole }: { whole: boolean }) {
    this.disk = smallDisk(DISK);
    this.data_dir = this.disk ? `${this.disk.path}/data` : tempDir();
    // Both cost more than a short run has time for.
    this.before = whole ? releaseBefore() : undefined;
    const library = whole ? findFaketime() : undefined;
    this.#clock = library && `${tempDir()}/clock`;
    this.#env = {
      MTC_PROFILE: "embedded",
      MTC_PORT: String(this.port),
      ...(library && this.#clock ? fakedBy(library, this.#clock) : {}),
    };
    this.setClock("+0");
  }

  /** @param whole with a clock that can be set, and the release before */
  static async start(options: { whole: boolean }): Promise<Embedded> {
    const made = new Embedded(options);
    await prepareEngine(`${made.data_dir}/chdb`);
    await made.start();
    return made;
  }

  get server(): TestServer {
    if (!this.#server) throw new Error("the program has not been started");
    return this.#server;
  }

  /** What is asked in the end, and for what becomes of it. */
  get call(): TestServer["call"] {
    return this.server.call;
  }

  get standing(): Standing {
    return { origins: this.#life % 2 === 0 ? this.origins : [], life: this.#life };
  }

  get has_clock(): boolean {
    return this.#clock !== undefined;
  }

  /** Puts its clock so far from what it is. */
  setClock(to: string): void {
    if (this.#clock) writeFileSync(this.#clock, `${to}\n`);
  }

  async start(): Promise<void> {
    this.#server = await startServer(this.#env, this.data_dir);
    this.#life += 1;
  }

  /** kill -9. */
  async kill(): Promise<void> {
    this.#life += 1;
    await this.server.kill();
  }

  /** SIGTERM. @returns the exit code */
  async stop(): Promise<number> {
    this.#life += 1;
    return this.server.stop();
  }

  /** Nobody is asked how the process is while that is done to it. */
  async notAsked<T>(work: () => Promise<T>): Promise<T> {
    this.#life += 1;
    try {
      return await work();
    } finally {
      this.#life += 1;
    }
  }

  /** The engine's process; undefined while there is none. */
  get engine(): number | undefined {
    try {
      return engineOf(this.server.pid);
    } catch {
      return undefined;
    }
  }

  settled(): Promise<void> {
    return this.server.settled();
  }

  output(): string {
    return this.server.output();
  }

  async eventsBy(): Promise<EventsBy> {
    return observationsBy(keptInSqlite(this.data_dir));
  }

  async end(): Promise<void> {
    await this.server.kill();
    this.before?.remove();
    if (this.disk) this.disk.unmount();
    else rmSync(this.data_dir, { recursive: true, force: true });
  }
}
