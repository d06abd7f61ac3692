// The embedded engine's process: started, started again whenever it ends, and ended with the program.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { fileURLToPath } from "bun";
import { EngineError } from "./engine.ts";
import { CLOSE, READY } from "./host/line.ts";

/** How the engine's own process is doing. */
export type ProcessStatus = {
  up: boolean;
  /** How often it ended by itself, or was ended, and was started again. */
  restarts: number;
  /** What it holds of its own in memory; 0 where the system does not tell. */
  resident_bytes: number;
};

const MAIN = fileURLToPath(new URL("./host/main.ts", import.meta.url));
/** Queries wait for the disk and for each other: a thread each, however few cores there are. */
const ENV = { UV_THREADPOOL_SIZE: "32" };
/** A process that was killed with its program has the directory for a moment longer. */
const LOCKED = /Cannot lock|Another server instance/;
const LOCKED_MS = 30_000;
const LOCKED_PAUSE_MS = 50;
/** Between starts that come to nothing; the first one follows at once. */
const PAUSE_MS = { min: 100, max: 10_000 };
/** It ends in order within this time, or is ended. */
const CLOSE_MS = 5_000;
/** Of a Unix socket's path, everywhere. */
const SOCKET_PATH_BYTES = 104;
const PAGE_BYTES = 4_096;
/** Where files are memory, on Linux. */
const MEMORY = "/dev/shm";

/** Of what a process said that did not start, as much is looked at. */
const SAID_CHARACTERS = 16_384;
/** So often what a start found is mended before it is given up. */
const MENDS = 100;

type Child = Bun.Subprocess<"pipe", "pipe", "pipe">;

type Deps = {
  /** chDB's directory. */
  path: string;
  /** Done with each new process before anything is asked of it. */
  prepare: (socket: string) => Promise<void>;
  /**
   * A process did not start, and nobody else has the directory: mends what it says that is damaged.
   * @returns whether anything was mended, so that the next one may start
   */
  mend: (said: string) => Promise<boolean>;
  /** Where there is none on its disk, a start that comes to nothing is tried again until there is. */
  hasRoom: () => boolean;
  log: (message: string) => void;
};

export class EngineProcess {
  /** Where it listens, in a folder that is nobody else's. */
  readonly socket: string;
  readonly #folder: string;
  readonly #deps: Deps;
  #child: Child | undefined;
  #up = false;
  #restarts = 0;
  #closing = false;
  readonly #closed = Promise.withResolvers<void>();
  #running: Promise<void> = Promise.resolve();

  /** A program that leaves it behind takes it along: stopped or stuck it would not see that its stdin ends. */
  readonly #endWithProgram = (): void => this.#child?.kill("SIGKILL");

  private constructor(deps: Deps) {
    this.#deps = deps;
    process.on("exit", this.#endWithProgram);
    this.#folder = socketFolder();
    this.socket = `${this.#folder}/s`;
  }

  /**
   * Resolves when it is up, or waits for room.
   * @throws EngineError where it cannot be started; what `prepare` throws
   */
  static async start(deps: Deps): Promise<EngineProcess> {
    const made = new EngineProcess(deps);
    try {
      const child = await made.#first();
      made.#running = made.#watch(child);
      return made;
    } catch (error) {
      made.#forget();
      throw error;
    }
  }

  get up(): boolean {
    return this.#up;
  }

  status(): ProcessStatus {
    return { up: this.#up, restarts: this.#restarts, resident_bytes: this.resident_bytes() };
  }

  /** Memory of its own, without the files that it has mapped; 0 where the system does not tell. */
  resident_bytes(): number {
    try {
      const [, resident = 0, shared = 0] = readFileSync(`/proc/${this.#child?.pid}/statm`, "utf8")
        .split(" ")
        .map(Number);
      return (resident - shared) * PAGE_BYTES;
    } catch {
      return 0;
    }
  }

  /** Ends it at once, whatever it does; it is started again. */
  end(why: string): void {
    this.#up = false;
    this.#deps.log(`engine: ended, since ${why}`);
    this.#child?.kill("SIGKILL");
  }

  async close(): Promise<void> {
    this.#closing = true;
    this.#closed.resolve();
    this.#up = false;
    const child = this.#child;
    if (child && child.exitCode === null) {
      const late = setTimeout(() => child.kill("SIGKILL"), CLOSE_MS);
      child.stdin.write(`${CLOSE}\n`);
      void child.stdin.flush();
      await child.exited;
      clearTimeout(late);
    }
    await this.#running;
    this.#forget();
  }

  /** @returns undefined where there is no room for it */
  async #first(): Promise<Child | undefined> {
    const until_ms = Date.now() + LOCKED_MS;
    for (;;) {
      try {
        return await this.#start();
      } catch (error) {
        const { message } = error as Error;
        if (LOCKED.test(message) && Date.now() < until_ms) {
          await Bun.sleep(LOCKED_PAUSE_MS);
          continue;
        }
        if (this.#deps.hasRoom()) throw error;
        this.#deps.log(`engine: ${message}; it is started when there is room on the disk`);
        return undefined;
      }
    }
  }

  /** For each process that ends another one, until this is closed. */
  async #watch(first: Child | undefined): Promise<void> {
    let child = first ?? (await this.#again(PAUSE_MS.max));
    while (child) {
      const code = await child.exited;
      this.#up = false;
      if (this.#closing) return;
      this.#deps.log(`engine: the process ended (${child.signalCode ?? code}); it is started again`);
      this.#restarts += 1;
      child = await this.#again(0);
    }
  }

  /** Tries until one has started. @returns undefined where this is closed meanwhile */
  async #again(first_pause_ms: number): Promise<Child | undefined> {
    const told = new Set<string>();
    let pause_ms = first_pause_ms;
    for (;;) {
      await Promise.race([Bun.sleep(pause_ms), this.#closed.promise]);
      if (this.#closing) return undefined;
      try {
        const child = await this.#start();
        if (told.size > 0) this.#deps.log("engine: it runs again");
        return child;
      } catch (error) {
        pause_ms = Math.min(PAUSE_MS.max, Math.max(PAUSE_MS.min, 2 * pause_ms));
        const { message } = error as Error;
        // However often it is tried: once for each cause.
        if (!told.has(message)) this.#deps.log(`engine: it does not start: ${message}`);
        told.add(message);
      }
    }
  }

  /** Starts one, and mends what is damaged as often as it says so. */
  async #start(): Promise<Child> {
    for (let mends = 0; ; mends++) {
      try {
        return await this.#spawn();
      } catch (error) {
        const { message } = error as Error;
        const may_mend = error instanceof NotStarted && !LOCKED.test(message) && mends < MENDS;
        if (!may_mend || !(await this.#deps.mend(message))) throw error;
      }
    }
  }

  async #spawn(): Promise<Child> {
    rmSync(this.socket, { force: true });
    const child: Child = Bun.spawn([process.execPath, MAIN, this.#deps.path, this.socket], {
      env: ENV,
      stdin: "pipe",
      stdout: "pipe",
      stderr: "pipe",
    });
    this.#child = child;
    const said = passOn(child);
    try {
      await ready(child, said);
      await this.#deps.prepare(this.socket);
      this.#up = !this.#closing;
      return child;
    } catch (error) {
      child.kill("SIGKILL");
      await child.exited;
      throw error;
    }
  }

  #forget(): void {
    process.off("exit", this.#endWithProgram);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** The engine's process ended before it took anything. */
class NotStarted extends EngineError {
  constructor(said: string) {
    super(said.trim() || "the engine did not start", 0, false, null);
  }
}

/** What the engine says goes where this program's own words go. @returns the first of it, once the process has ended */
async function passOn({ stderr }: Child): Promise<string> {
  const decoder = new TextDecoder();
  let said = "";
  for await (const chunk of stderr) {
    process.stderr.write(chunk);
    if (said.length < SAID_CHARACTERS) said += decoder.decode(chunk, { stream: true });
  }
  return said;
}

/** Resolves when it says so. @throws NotStarted with what it said instead */
async function ready({ stdout }: Child, said: Promise<string>): Promise<void> {
  const decoder = new TextDecoder();
  const reader = stdout.getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) throw new NotStarted(`${text.trim()}\n${(await said).trim()}`);
    text += decoder.decode(value, { stream: true });
    if (text.split("\n").includes(READY)) return;
  }
}

/** Of 0700; where the system's own place for such has too long a name, or no room, in another one. */
function socketFolder(): string {
  const fits = (folder: string): boolean => Buffer.byteLength(`${folder}/mtc-XXXXXX/s`) < SOCKET_PATH_BYTES;
  const places = [tmpdir(), "/tmp", MEMORY].filter(fits);
  for (const place of places) {
    try {
      return mkdtempSync(`${place}/mtc-`);
    } catch (error) {
      if (place === places.at(-1)) throw error;
    }
  }
  throw new Error("no place for a socket");
}
