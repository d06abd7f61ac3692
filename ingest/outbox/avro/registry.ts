// The schema registry, by Confluent's API: our schema under a subject, and the id that messages name it by.
import type { AvroSchema } from "./schema.ts";

const TIMEOUT_MS = 5_000;
const JSON_TYPE = "application/vnd.schemaregistry.v1+json";
const NOT_FOUND = 404;
/** A reader of the newest schema reads what was written by those before. */
const COMPATIBILITY = "BACKWARD";

/**
 * Registers the schema, which changes nothing where it is there already. A subject that was not there is made with its
 * compatibility; one that was keeps the one that it has.
 * @param url may hold a user and a password
 * @returns the schema's id
 * @throws Error where the registry is away, or holds the schema for incompatible
 */
export async function registerSchema(url: string, subject: string, schema: AvroSchema): Promise<number> {
  const name = encodeURIComponent(subject);
  const versions = `/subjects/${name}/versions`;
  const before = await call(url, "GET", versions).catch((error: Error & { status?: number }) => {
    if (error.status !== NOT_FOUND) throw error;
  });
  const { id } = await call<{ id: number }>(url, "POST", versions, { schema: JSON.stringify(schema) });
  if (!before) await call(url, "PUT", `/config/${name}`, { compatibility: COMPATIBILITY });
  return id;
}

async function call<T>(url: string, method: string, path: string, body?: unknown): Promise<T> {
  const server = new URL(url);
  const [user, password] = [server.username, server.password].map(decodeURIComponent);
  server.username = server.password = "";
  const response = await fetch(server.href.replace(/\/$/, "") + path, {
    method,
    headers: {
      accept: JSON_TYPE,
      "content-type": JSON_TYPE,
      ...(user ? { authorization: `Basic ${btoa(`${user}:${password}`)}` } : {}),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }).catch((error: Error) => {
    throw new Error(`schema registry: ${error.message}`, { cause: error });
  });
  const text = await response.text();
  if (!response.ok) {
    const said = `schema registry: ${response.status} ${text.slice(0, 500)}`;
    throw Object.assign(new Error(said), { status: response.status });
  }
  return JSON.parse(text) as T;
}
