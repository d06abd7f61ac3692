// For tests: every fault that a cluster is put through.
import { pace } from "../../../../.ci/limits.ts";
import { shuffled } from "../../../../analytics-sql/testing/arrival.ts";
import { readTopic } from "../../../../ingest/testing/topic.ts";
import { parseKafka } from "../../../cluster-config.ts";
import type { Role } from "../../../config.ts";
import { signalled } from "../../engine-process.ts";
import { sendTwice } from "../../topic-again.ts";
import type { Clustered } from "../clustered.ts";
import { between_ms, type Fault, type Random } from "../fault.ts";
import { CLIENTS } from "./clients.ts";

const AWAY_MS = [500, 4_000] as const;
const away = (random: Random): Promise<void> => pace(between_ms(random, ...AWAY_MS));

const killRole = (role: Role): Fault<Clustered> => ({
  name: `kill -9 of ${role}`,
  times: 4,
  run: (plant, random) => plant.killOne(role, random),
});

const killRedis: Fault<Clustered> = {
  name: "kill -9 of Redis",
  async run({ cluster: { redis } }, random) {
    await redis.kill();
    await away(random);
    redis.start();
    return performance.now();
  },
};

const killBroker: Fault<Clustered> = {
  name: "kill -9 of the broker",
  async run({ cluster: { brokers } }, random) {
    await brokers.kill(0);
    await away(random);
    await brokers.start(0);
    return performance.now();
  },
};

const killClickHouse: Fault<Clustered> = {
  name: "kill -9 of ClickHouse",
  async run({ cluster: { clickhouse } }) {
    await clickhouse.restart();
    return performance.now();
  },
};

const killStore: Fault<Clustered> = {
  name: "kill -9 of the store",
  async run({ cluster }) {
    await cluster.restartStore();
    return performance.now();
  },
};

const hangClickHouse: Fault<Clustered> = {
  name: "a hung ClickHouse",
  async run({ cluster: { clickhouse } }, random) {
    // The one that hangs, should another one take its place meanwhile.
    const { pid } = clickhouse;
    signalled(pid, "SIGSTOP");
    await away(random);
    signalled(pid, "SIGCONT");
    return performance.now();
  },
};

const hangStore: Fault<Clustered> = {
  name: "a hung store",
  async run({ cluster }, random) {
    cluster.signalStore("SIGSTOP");
    await away(random);
    cluster.signalStore("SIGCONT");
    return performance.now();
  },
};

/** So many messages of all that there are: each time all of them again would be more and more. */
const AGAIN = 300;

const deliverAgain: Fault<Clustered> = {
  name: "messages again, twice and in any order",
  async run({ cluster }, random) {
    const kafka = parseKafka(cluster.settings);
    if (!kafka) throw new Error("a cluster has brokers");
    const messages = await readTopic(kafka.brokers, kafka.topic);
    await sendTwice(kafka, shuffled(messages, random).slice(0, AGAIN));
    return performance.now();
  },
};

export const CLUSTERED_FAULTS: Fault<Clustered>[] = [
  ...(["api", "collect", "relay"] as const).map(killRole),
  ...[killRedis, killBroker, killClickHouse, killStore],
  ...[hangClickHouse, hangStore, deliverAgain, ...CLIENTS],
];
