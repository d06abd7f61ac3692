// What the source is made of: secrets that stay where they belong, and polls that a block's memory can hold.
import { expect, test } from "bun:test";
import { COLLECTION, isOpen, type KafkaSource, openSource } from "./source.ts";

/** With a quote to be escaped, and what looks like a parameter of the statement and is none. */
const PASSWORD = "pass'word {group:String}";
const source: KafkaSource = {
  brokers: ["kafka-1:9093"],
  topic: "raw_data",
  group: "mtc",
  consumers: 1,
  security: { tls: true, sasl: { mechanism: "scram-sha-512", username: "mtc", password: PASSWORD } },
};

/** A server that notes what it is told, and knows the tables that were made. */
function scripted(collections: string[]) {
  const said: string[] = [];
  const engine = {
    async query<Row>(sql: string, params: Record<string, unknown>): Promise<Row[]> {
      if (sql.includes("named_collections"))
        return collections.filter((name) => name === params.name).map((name) => ({ name }) as Row);
      const made = said.flatMap((one) => /CREATE [A-Z ]+ mtc\.(\w+)/.exec(one)?.[1] ?? []);
      if (!sql.includes("comment"))
        return made.filter((name) => name !== "dead_letters").map((name) => ({ name }) as Row);
      const comment = said.flatMap((one) => /COMMENT '(.*)'/.exec(one)?.[1] ?? "").find(Boolean);
      return comment === undefined ? [] : [{ comment } as Row];
    },
    maintain: async (sql: string): Promise<void> => void said.push(sql),
  };
  return { said, engine, collections };
}

test("no statement has the password in it where the server's files have a collection; all else stands in the statement", async () => {
  const { said, engine, collections } = scripted([COLLECTION]);
  await openSource(engine, source);
  const text = said.join("\n");
  expect(text).toContain(`ENGINE = Kafka(${COLLECTION})`);
  expect(text).toContain("kafka_broker_list = 'kafka-1:9093'");
  expect(text).not.toMatch(/pass.?'?word|sasl|security_protocol/);
  expect(await isOpen(engine, source)).toBe(true);
  const other = { mechanism: "plain" as const, username: "mtc", password: "another" };
  expect(await isOpen(engine, { ...source, security: { tls: true, sasl: other } })).toBe(true);
  // Where the collection goes, or comes, the source is made anew.
  collections.pop();
  expect(await isOpen(engine, source)).toBe(false);
});

test("a server without one, as chDB, is told all; where there is nothing to hide none is asked for", async () => {
  const { said, engine, collections } = scripted([]);
  await openSource(engine, source);
  expect(said.join("\n")).toContain("kafka_sasl_password = 'pass\\'word {group:String}',");
  expect(said.join("\n")).toContain("kafka_security_protocol = 'sasl_ssl',");
  collections.push(COLLECTION);
  expect(await isOpen(engine, source)).toBe(false);
  const plain = scripted([COLLECTION]);
  const { security: _, ...open } = source;
  await openSource(plain.engine, open);
  expect(plain.said.join("\n")).toContain("ENGINE = Kafka\n");
});

test("invariant 7: what is polled at once is 64 MiB at the most, of the largest bodies there may be", async () => {
  const { said, engine } = scripted([]);
  await openSource(engine, source);
  const polled = Number(/kafka_poll_max_batch_size = (\d+)/.exec(said.join("\n"))?.[1]);
  expect(polled * 8).toBeLessThanOrEqual(64);
});
