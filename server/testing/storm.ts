// For acceptance tests of figures: whatever is posted arrives twice, and observations in any order.
import { expect } from "bun:test";
import { arrival, shuffled } from "../../analytics-sql/testing/arrival.ts";
import type { Answer, TestServer } from "./server.ts";

type Post = { path: string; body: unknown; headers: Record<string, string> };

const OBSERVATIONS = /^\/internal\/machines\/[^/]+\/data$/;
/** An entry counts as often as it is made: a reject posted twice is two, unless an `Idempotency-Key` says that it is one. */
const ENTRY = /^\/api\/v1\/machines\/[^/]+\/(rejects|lots|downtime|spikes)$/;
const SETTING = /^\/api\/v1\/machines\/[^/]+\/(calendar|cycle-times|policy)$/;
/** After these, what was said before may mean something else. */
const CHANGE = /^\/api\/v1\/machines\/[^/]+$/;

/**
 * The server as a client in a bad network sees it. Rows of observations go in pieces in a random order, each piece twice
 * with one `Idempotency-Key`, again without any, and once more when everything has settled, among those of other posts.
 * Entries go twice under one key, settings twice. The answer is the first one's; what is refused is not repeated, and a test with a key of
 * its own repeats for itself.
 */
export function stormy(server: TestServer): TestServer {
  const random = arrival();
  let said: Post[] = [];

  const send = async <T>({ path, body, headers }: Post, status: number): Promise<Answer<T>> => {
    const answer = await server.call<T>("POST", path, body, headers);
    expect([answer.status, answer.status === status ? "" : answer.body]).toEqual([status, ""]);
    return answer;
  };

  /** @returns the answer to the first piece */
  async function observe<T>(
    path: string,
    rows: object[],
    headers: Record<string, string>,
  ): Promise<Answer<T>> {
    const posts = piecesOf(shuffled(rows, random), random).map((observations) => ({
      path,
      body: { observations },
      headers: { ...headers, "idempotency-key": crypto.randomUUID() },
    }));
    const answers: Answer<T>[] = [];
    for (const post of posts) {
      const first = await send<{ event_id: string }>(post, 202);
      const again = await send<{ event_id: string }>(post, 202);
      expect(again.body.event_id).toBe(first.body.event_id);
      answers.push(first as Answer<T>);
    }
    const bare = posts.map((post) => ({ ...post, headers }));
    for (const post of shuffled(bare, random)) await send(post, 202);
    said.push(...bare);
    return answers[0] as Answer<T>;
  }

  async function enter<T>(path: string, body: unknown, headers: Record<string, string>): Promise<Answer<T>> {
    const keyed = { "idempotency-key": crypto.randomUUID(), ...headers };
    const first = await server.call<T>("POST", path, body, keyed);
    if (first.status < 300)
      expect((await send<T>({ path, body, headers: keyed }, first.status)).body).toEqual(first.body);
    return first;
  }

  return {
    ...server,
    async call<T>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
      const rows = (body as { observations?: object[] } | undefined)?.observations;
      const own = "idempotency-key" in headers;
      if (!own && method === "POST" && OBSERVATIONS.test(path) && Array.isArray(rows) && rows.length > 0)
        return observe<T>(path, rows, headers);
      if (method === "POST" && ENTRY.test(path)) return enter<T>(path, body, headers);
      if (CHANGE.test(path) && method !== "GET")
        said = said.filter((post) => !post.path.includes(path.split("/")[4] ?? ""));
      if (method === "PUT" && SETTING.test(path)) await server.call(method, path, body, headers);
      return server.call<T>(method, path, body, headers);
    },
    async settled() {
      await server.settled();
      for (const post of shuffled(said.splice(0), random)) await send(post, 202);
      await server.settled();
    },
  };
}

/** The same items in pieces of random sizes, three on average. */
function piecesOf<T>(items: T[], random: () => number): T[][] {
  const pieces: T[][] = [];
  for (let from = 0; from < items.length; ) {
    const size = 1 + Math.floor(random() * items.length);
    pieces.push(items.slice(from, from + size));
    from += size;
  }
  return pieces;
}
