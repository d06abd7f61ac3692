// Where a ClickHouse server takes events from: the Kafka topic, by a table and a view, and behind it a view before each door.
import type { Engine } from "../engine/engine.ts";
import { literal } from "../engine/literal.ts";
import { SCHEMA_VERSION, withData } from "../schema/schema.ts";
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
 * Statements that make the source, each of which may run again. The reading view comes last, when all behind it stands.
 * @param comment by which the table tells what it was made by: the schema's version, and a digest of the settings
 */
export function sourceStatements(
  { brokers, topic, group, consumers, security: { tls, sasl } = { tls: false } }: KafkaSource,
  comment = "",
): string[] {
  // Settings of a table's engine cannot be bound. Those of SASL may stand there empty.
  const values: Record<string, string> = {
    "{protocol:String}": literal(`${sasl ? "sasl_" : ""}${tls ? "ssl" : "plaintext"}`),
    "{mechanism:String}": literal(sasl?.mechanism.toUpperCase() ?? ""),
    "{username:String}": literal(sasl?.username ?? ""),
    "{password:String}": literal(sasl?.password ?? ""),
    "{brokers:String}": literal(brokers.join(",")),
    "{topic:String}": literal(topic),
    "{group:String}": literal(group),
    "{consumers:UInt8}": String(consumers),
    "{comment:String}": literal(comment),
  };
  const bound = withData(events).replaceAll(/\{\w+:\w+\}/g, (parameter) => values[parameter] ?? parameter);
  return [deadLetters, bound, eventsRead, deadLettersMv, observationsReadMv, entriesReadMv, eventsKafkaMv];
}

/** Tells what a table was made by without telling it: a password is among its settings. */
const DIGEST = { algorithm: "argon2id", memoryCost: 8_192, timeCost: 2 } as const;
const settingsOf = (source: KafkaSource): string => JSON.stringify(source);

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
  return !(await Bun.password.verify(settingsOf(source), digest).catch(() => false));
}

/** Makes the source, as far as it is not there; before it the schema. @throws EngineError */
export async function openSource(
  engine: Pick<Engine, "query" | "maintain">,
  source: KafkaSource,
): Promise<void> {
  const there = await engine.query<{ name: string }>(
    "SELECT name FROM system.tables WHERE database = 'mtc' AND name IN {tables:Array(String)}",
    { tables: TABLES },
  );
  if (there.length === TABLES.length) return;
  const digest = await Bun.password.hash(settingsOf(source), DIGEST);
  const comment = `${textOf(SCHEMA_VERSION)} ${digest}`;
  for (const statement of sourceStatements(source, comment)) await engine.maintain(statement);
}

/**
 * Ends the reading, and removes the source; what was read stays. The reader goes first: as long as it is there, it
 * notes as read whatever it reads, views or none. @throws EngineError
 */
export async function closeSource(engine: Pick<Engine, "maintain">): Promise<void> {
  for (const table of TABLES) await engine.maintain(`DROP TABLE IF EXISTS mtc.${table} SYNC`);
}
