// For acceptance tests: the real program as a process of its own, on a data directory of its own.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { limit_ms, pace, until } from "../../.ci/limits.ts";
import { prepareEngine } from "../../analytics-sql/testing/prepared.ts";

const ROOT = new URL("../..", import.meta.url).pathname;
/** `TEST_PROFILE=cluster bun test …` runs whatever starts one program with all of its roles on a cluster of its own. */
export const onCluster = process.env.TEST_PROFILE === "cluster";
export const TEST_KEY = "test-key-0123456789abcdef";

export type TestServer = {
  origin: string;
  pid: number;
  data_dir: string;
  /** What it printed so far. */
  output(): string;
  /** JSON in, JSON out, with the admin key. */
  call<T = unknown>(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Answer<T>>;
  /** Resolves when everything acknowledged so far can be queried. */
  settled(): Promise<void>;
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number>;
  /** SIGKILL, as a power cut of the process. */
  kill(): Promise<void>;
};

export type Answer<T> = { status: number; body: T; headers: Headers };

export const tempDir = (): string => mkdtempSync(`${tmpdir()}/mtc-server-`);

/** One in which the program has been once: its analytics need not be made. */
async function preparedDir(): Promise<string> {
  const dir = tempDir();
  if (!onCluster) await prepareEngine(`${dir}/chdb`);
  return dir;
}

/**
 * Starts the program and waits until it says that it is ready.
 * @param given_dir left out: one of its own, with analytics that are there and empty
 * @param before what runs it, as on another host
 * @param root of another release's source
 */
export async function startServer(
  env: Record<string, string> = {},
  given_dir?: string,
  before: string[] = [],
  root = ROOT,
): Promise<TestServer> {
  const data_dir = given_dir ?? (await preparedDir());
  if (onCluster && env.MTC_PROFILE === undefined) {
    // Only then: these parts take seconds to start, and are not everywhere.
    const { inCluster } = await import("./cluster.ts");
    return inCluster(data_dir, env);
  }
  const child = Bun.spawn([...before, process.execPath, "server/main.ts"], {
    cwd: root,
    env: {
      ...process.env,
      // Where tests may use a MongoDB, the program is not given it by that.
      MTC_MONGO_URL: undefined,
      MTC_PORT: "0",
      MTC_DEMO: "off",
      MTC_DATA_DIR: data_dir,
      MTC_ADMIN_KEY: TEST_KEY,
      MTC_RAW_RETENTION_DAYS: "36500",
      // Who stops a test's server knows that it does; a release before this setting refuses it.
      ...(root === ROOT && { MTC_DRAIN_S: "0" }),
      ...env,
    },
    stdout: "pipe",
    stderr: "pipe",
  });
  let text = "";
  const read = async (stream: ReadableStream<Uint8Array>): Promise<void> => {
    const decoder = new TextDecoder();
    for await (const chunk of stream) text += decoder.decode(chunk, { stream: true });
  };
  void read(child.stdout);
  void read(child.stderr);
  const origin = await until(() => {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}:\n${text}`);
    return /ready at (http:\S+)/.exec(text)?.[1];
  });

  const call = callTo(origin);
  return {
    origin,
    pid: child.pid,
    data_dir,
    output: () => text,
    call,
    settled: () => emptied(call),
    async stop() {
      child.kill("SIGTERM");
      return child.exited;
    },
    async kill() {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}

/** A count of what waits, and its age; null where it was not counted yet. An older release counts when it is asked. */
type Counted = { events: number | null; age_s?: number | null };

/** Resolves when nothing waits for analytics, with the outbox or with Kafka, as both were counted after the call. */
export async function emptied(
  call: <T>(method: string, path: string) => Promise<{ body: T }>,
  quiet_s?: number,
): Promise<void> {
  for (const part of ["outbox", "kafka"] as const) {
    const began_ms = performance.now();
    await until(async () => {
      const asked_ms = performance.now();
      const { body } = await call<{ outbox: Counted; kafka?: Counted }>("GET", "/readyz");
      const { events, age_s = 0 } = body[part] ?? { events: 0 };
      return events === 0 && age_s !== null && 1_000 * age_s <= asked_ms - began_ms;
    }, quiet_s);
  }
}

/** The printed sign-in link, which comes behind the line that says that the server is ready. */
export const signInLink = (server: Pick<TestServer, "output">): Promise<string> =>
  until(() => /sign in once:\s+(\S+)/.exec(server.output())?.[1]);

/** Follows the printed sign-in link, as its page's button does. @returns the answer, with the session's cookie */
export async function signInOnce(server: Pick<TestServer, "output">, origin?: string): Promise<Response> {
  const url = new URL(await signInLink(server));
  const body = new URLSearchParams({ token: url.searchParams.get("token") ?? "" });
  return fetch(`${origin ?? url.origin}/sign-in`, { method: "POST", body, redirect: "manual" });
}

/** Signs in as a page's form does. @returns the answer, which nobody follows */
export const signIn = (
  origin: string,
  fields: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<Response> =>
  fetch(`${origin}/sign-in`, {
    method: "POST",
    body: new URLSearchParams(fields),
    headers,
    redirect: "manual",
  });

/** A figure of /metrics without labels; NaN where it is not there. */
export async function metric({ call }: Pick<TestServer, "call">, name: string): Promise<number> {
  const { body } = await call<string>("GET", "/metrics");
  return Number(new RegExp(`^${name} (\\S+)$`, "m").exec(body)?.[1]);
}

/**
 * JSON in, JSON out, with the admin key, wherever the program runs. Told that analytics is not there yet, within a time that
 * is a quiet machine's, it comes again, as a client should.
 */
export const callTo = (origin: string): TestServer["call"] => {
  async function once<T>(path: string, request: RequestInit): Promise<Answer<T>> {
    const response = await fetch(origin + path, request);
    const answer = await response.text();
    const json = response.headers.get("content-type")?.includes("json") ?? false;
    return {
      status: response.status,
      body: (json ? JSON.parse(answer) : answer) as T,
      headers: response.headers,
    };
  }
  return async <T>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const request = {
      method,
      headers: { "x-api-key": TEST_KEY, "content-type": "application/json", ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    };
    const end_ms = performance.now() + limit_ms();
    for (;;) {
      const answer = await once<T & { code?: string }>(path, request);
      const comes_again = answer.status === 503 && answer.body.code === "not_in_analytics_yet";
      if (!comes_again || performance.now() > end_ms) return answer;
      await pace(1_000 * Number(answer.headers.get("retry-after")));
    }
  };
};

/** Stops the server and forgets its data. */
export async function discard(server: TestServer | undefined): Promise<void> {
  await server?.stop();
  if (server && onCluster) await (await import("./cluster.ts")).leaveCluster(server.data_dir);
  if (server) rmSync(server.data_dir, { recursive: true, force: true });
}
