// Where a ClickHouse server takes events from: the Kafka topic, by a table and a view, and behind it a view before each door.
import type { Engine } from "../engine/engine.ts";
import { literal } from "../engine/literal.ts";
import { filled } from "../filled.ts";
import { DATA, SCHEMA_VERSION } from "../schema/schema.ts";
import { compare, parseVersion, textOf } from "../schema/version.ts";
import deadLetters from "./dead-letters.sql" with { type: "text" };
import deadLettersMv from "./dead-letters-mv.sql" with { type: "text" };
import entriesReadMv from "./entries-read-mv.sql" with { type: "text" };
import events from "./events.sql" with { type: "text" };
import eventsKafkaMv from "./events-kafka-mv.sql" with { type: "text" };
import eventsRead from "./events-read.sql" with { type: "text" };
import observationsReadMv from "./observations-read-mv.sql" with { type: "text" };

export type KafkaSource = {
  brokers: string[];
  /** Left out: neither TLS nor SASL. Which authorities vouch for the brokers only the server's own files can say. */
  security?: {
    tls: boolean;
    sasl?: { mechanism: "plain" | "scram-sha-256" | "scram-sha-512"; username: string; password: string };
  };
  topic: string;
  group: string;
  /** Reading threads of one server; partitions over all servers are the most that have something to do. */
  consumers: number;
};

/**
 * What a server's own files may say of how it shows brokers who it is: a named collection. A statement with a password in it
 * stands readable in Keeper and in `system.distributed_ddl_queue`, and in the table's definition on the disk.
 */
export const COLLECTION = "mtc_kafka";

/**
 * Statements that make the source, each of which may run again. The reading view comes last, when all behind it stands.
 * @param comment by which the table tells what it was made by: the schema's version, and a digest of the settings
 * @param has_collection whether the server has {@link COLLECTION}: then nothing of security is said here
 */
export function sourceStatements(source: KafkaSource, comment = "", has_collection = false): string[] {
  const { brokers, topic, group, consumers } = source;
  const table = filled(events, {
    ...DATA,
    engine: has_collection ? `Kafka(${COLLECTION})` : "Kafka",
    security: "{security:String}",
  });
  // Settings of a table's engine cannot be bound. All in one pass: nothing looks for parameters in a password.
  const values: Record<string, string> = {
    "{brokers:String}": literal(brokers.join(",")),
    "{topic:String}": literal(topic),
    "{group:String}": literal(group),
    "{consumers:UInt8}": String(consumers),
    "{comment:String}": literal(comment),
    "{security:String}": has_collection ? "" : securityOf(source),
  };
  const bound = table.replaceAll(/\{\w+:\w+\}/g, (parameter) => values[parameter] ?? parameter);
  return [deadLetters, bound, eventsRead, deadLettersMv, observationsReadMv, entriesReadMv, eventsKafkaMv];
}

/** As settings of the engine; those of SASL may stand there empty. */
function securityOf({ security: { tls, sasl } = { tls: false } }: KafkaSource): string {
  const settings = {
    kafka_security_protocol: `${sasl ? "sasl_" : ""}${tls ? "ssl" : "plaintext"}`,
    kafka_sasl_mechanism: sasl?.mechanism.toUpperCase() ?? "",
    kafka_sasl_username: sasl?.username ?? "",
    kafka_sasl_password: sasl?.password ?? "",
  };
  return Object.entries(settings)
    .map(([name, value]) => `${name} = ${literal(value)},`)
    .join("\n    ");
}

/** Only where there is something to hide. It is there for whoever may use it alone. @throws EngineError */
async function hasCollection(engine: Pick<Engine, "query">, { security }: KafkaSource): Promise<boolean> {
  if (!security?.sasl) return false;
  const found = await engine.query("SELECT name FROM system.named_collections WHERE name = {name:String}", {
    name: COLLECTION,
  });
  return found.length > 0;
}

/** Tells what a table was made by without telling it: a password is among its settings. */
const DIGEST = { algorithm: "argon2id", memoryCost: 8_192, timeCost: 2 } as const;
const settingsOf = (source: KafkaSource, has_collection: boolean): string =>
  JSON.stringify(has_collection ? { ...source, security: COLLECTION } : source);

const TABLES = [
  "events_kafka",
  "events_kafka_mv",
  "dead_letters_mv",
  "observations_read_mv",
  "entries_read_mv",
  "events_read",
];

async function madeBy(engine: Pick<Engine, "query">): Promise<string | undefined> {
  const [made] = await engine.query<{ comment: string }>(
    "SELECT comment FROM system.tables WHERE database = 'mtc' AND name = 'events_kafka'",
    {},
  );
  return made?.comment;
}

/**
 * Was the source made by other settings, or by an older release? One that a newer release made serves this one as well.
 * @returns false where there is none @throws EngineError
 */
export async function isStale(engine: Pick<Engine, "query">, source: KafkaSource): Promise<boolean> {
  const comment = await madeBy(engine);
  if (comment === undefined) return false;
  const [version = "", digest = ""] = comment.split(" ");
  const made = parseVersion(version);
  if (made === undefined || compare(made, SCHEMA_VERSION) < 0) return true;
  const settings = settingsOf(source, await hasCollection(engine, source));
  return !(await Bun.password.verify(settings, digest).catch(() => false));
}

async function isWhole(engine: Pick<Engine, "query">): Promise<boolean> {
  const there = await engine.query<{ name: string }>(
    "SELECT name FROM system.tables WHERE database = 'mtc' AND name IN {tables:Array(String)}",
    { tables: TABLES },
  );
  return there.length === TABLES.length;
}

/** Is it there, and as it should be? @throws EngineError */
export const isOpen = async (engine: Pick<Engine, "query">, source: KafkaSource): Promise<boolean> =>
  (await isWhole(engine)) && !(await isStale(engine, source));

/**
 * Makes the source, as far as it is not there; before it the schema. Where others may do the same, in a turn.
 * @throws EngineError
 */
export async function openSource(
  engine: Pick<Engine, "query" | "maintain">,
  source: KafkaSource,
): Promise<void> {
  if (await isWhole(engine)) return;
  const has_collection = await hasCollection(engine, source);
  const digest = await Bun.password.hash(settingsOf(source, has_collection), DIGEST);
  const comment = `${textOf(SCHEMA_VERSION)} ${digest}`;
  for (const statement of sourceStatements(source, comment, has_collection)) await engine.maintain(statement);
}

/**
 * Ends the reading, and removes the source; what was read stays. The reader goes first: as long as it is there, it
 * notes as read whatever it reads, views or none. @throws EngineError
 */
export async function closeSource(engine: Pick<Engine, "maintain">): Promise<void> {
  for (const table of TABLES) await engine.maintain(`DROP TABLE IF EXISTS mtc.${table} SYNC`);
}
