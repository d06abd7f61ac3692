// For tests: a siege of a running program, by a process of its own: what attackers do holds up nobody who looks or counts.
import { setPriority } from "node:os";
import { pace } from "../../.ci/limits.ts";
import type { TestServer } from "./server.ts";

export type Told = {
  /** Who was answered what, how often: statuses, and words. */
  tally: Record<string, Record<string, number>>;
  /** The keys that were shut out, the last one at the end. */
  shut_out: string[];
  /** When the engine was asked for more memory than it may have, ms since 1970. */
  greedy: { from_ms: number; to_ms: number }[];
};

/** What the attackers say when all is prepared, and what they end at. */
export const READY = "ready";

const CLIENTS_NICE = 5;
const MAIN = new URL("./siege.process.ts", import.meta.url).pathname;
/** Bun's fetch would have the attacks wait for each other. */
const ENV = { BUN_CONFIG_MAX_HTTP_REQUESTS: "2000" };

export class Siege {
  readonly #child: Bun.Subprocess<"pipe", "pipe", "inherit">;
  readonly #lines: AsyncIterator<string>;

  private constructor({ origin }: TestServer) {
    this.#child = Bun.spawn([process.execPath, MAIN, origin], {
      env: { ...process.env, ...ENV },
      stdin: "pipe",
      stdout: "pipe",
      stderr: "inherit",
    });
    // Clients and agents have machines of their own as a rule: here they step back for the program.
    setPriority(this.#child.pid, CLIENTS_NICE);
    this.#lines = linesOf(this.#child.stdout);
  }

  /** Resolves when everything is prepared; it begins with `lay`. */
  static async prepare(server: TestServer): Promise<Siege> {
    const made = new Siege(server);
    if ((await made.#lines.next()).value !== READY) throw new Error("the attackers were not prepared");
    return made;
  }

  /** All attacks for so long. @throws where one met with what is no answer */
  async lay(ms: number): Promise<void> {
    this.#child.stdin.write("begin\n");
    void this.#child.stdin.flush();
    const over = await Promise.race([pace(ms), this.#child.exited]);
    if (over !== undefined) throw new Error(`the attackers ended with ${over}`);
  }

  /** Ends all attacks, each in its order. @throws where one met with what is no answer */
  async end(): Promise<Told> {
    await this.#child.stdin.end();
    const { value } = await this.#lines.next();
    const code = await this.#child.exited;
    if (code !== 0 || typeof value !== "string") throw new Error(`the attackers ended with ${code}`);
    return JSON.parse(value) as Told;
  }
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream) {
    text += decoder.decode(chunk, { stream: true });
    const lines = text.split("\n");
    text = lines.pop() ?? "";
    yield* lines;
  }
}
