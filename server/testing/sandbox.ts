// A program to be asked anything: machines, entries and users that may be destroyed, and a key of each role.
import { discard, startServer, TEST_KEY, type TestServer } from "./server.ts";

export const ROLES = ["admin", "manager", "operator", "ingest", "nobody"] as const;
export type Role = (typeof ROLES)[number];
const SCOPES: Record<Role, string[]> = {
  admin: [],
  manager: ["read"],
  operator: ["read", "operate"],
  ingest: ["ingest"],
  nobody: [],
};

export type Sandbox = {
  server: TestServer;
  /** The keys by role; the admin's is never among those that are known, so it stays. */
  keys: Record<Role, string>;
  /** What may be named in paths now, by the parameter's name; a machine is made where all are gone. */
  known(): Promise<Record<string, string[]>>;
  /** Asks; status 0 where the connection was cut. @param endless the answer's end is not waited for */
  ask(
    role: Role,
    method: string,
    path: string,
    request: { body?: string | Uint8Array; headers: Record<string, string> },
    endless: boolean,
  ): Promise<{ status: number; type: string; text: string }>;
  discard(): Promise<void>;
};

const MACHINES = ["mill-1", "mill-2", "press-1"];
const BEGUN_MS = Date.now() - 12 * 3_600_000;
const at = (minute: number): string => new Date(BEGUN_MS + minute * 60_000).toISOString();

export async function prepared(): Promise<Sandbox> {
  const server = await startServer();
  const keys = { admin: TEST_KEY, nobody: "" } as Record<Role, string>;
  for (const role of ROLES)
    if (SCOPES[role].length > 0)
      keys[role] = (
        await server.call<{ key: string }>("POST", "/api/v1/keys", { name: role, scopes: SCOPES[role] })
      ).body.key;
  const kept = new Set((await list(server, "/api/v1/keys")).map(({ id }) => id));
  return {
    server,
    keys,
    async known() {
      await makeMachines(server);
      const made = await list(server, "/api/v1/keys");
      const users = await list(server, "/api/v1/users");
      const entries = await list(
        server,
        `/api/v1/machines/${MACHINES[0]}/downtime?from=2025-01-01T00:00:00Z`,
      );
      return {
        id: [...MACHINES, ...[...made, ...users].map(({ id }) => id).filter((id) => !kept.has(id))],
        annotation: entries.map(({ id }) => id),
        asset: ["T1"],
        position: ["1", "2"],
      };
    },
    async ask(role, method, path, request, endless) {
      try {
        const answer = await fetch(server.origin + path, {
          method,
          redirect: "manual",
          ...(request.body === undefined ? {} : { body: request.body as BodyInit }),
          headers: { ...request.headers, ...(keys[role] === "" ? {} : { "x-api-key": keys[role] }) },
        });
        if (endless) await answer.body?.cancel();
        const text = endless ? "" : await answer.text();
        return {
          status: answer.status,
          type: answer.headers.get("content-type") ?? "",
          text: text.slice(0, 500),
        };
      } catch (error) {
        return { status: 0, type: "", text: String(error) };
      }
    },
    discard: () => discard(server),
  };
}

type Listed = { id: string };
async function list(server: TestServer, path: string): Promise<Listed[]> {
  const { body } = await server.call<Listed[] | { rows: Listed[] }>("GET", path);
  return Array.isArray(body) ? body : (body.rows ?? []);
}

/** Those that are not there any more, with an hour of work and a stop. */
async function makeMachines(server: TestServer): Promise<void> {
  for (const id of MACHINES) {
    const { status } = await server.call("POST", "/api/v1/machines", { id, name: id, group: "hall" });
    if (status !== 201) continue;
    const observations = ["ACTIVE", "STOPPED", "ACTIVE"].map((value, i) => ({
      signal: "execution",
      ts: at(i * 20),
      value,
    }));
    await server.call("POST", `/internal/machines/${id}/data`, { observations });
    await server.call("POST", `/api/v1/machines/${id}/downtime`, { from: at(20), to: at(40), reason: "jam" });
  }
}
