// Real Kafka brokers on loopback for a test file: started, killed, started again.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { findKafka } from "../../.ci/kafka.ts";

/** Any id serves; a cluster's nodes share it. */
const CLUSTER_ID = "bXRjLXRlc3QtY2x1c3Rlcg";
const READY_WITHIN_MS = 60_000;

export const hasKafka = findKafka() !== undefined;

export type Brokers = {
  addresses: string[];
  /** SIGKILL. */
  kill(node: number): Promise<void>;
  /** Starts a killed one again, on its own data; resolves when it takes connections. */
  start(node: number): Promise<void>;
  stop(): Promise<void>;
};

/** Starts `nodes` brokers that are controllers as well (KRaft), with empty directories. */
export async function startBrokers(nodes: number): Promise<Brokers> {
  const dir = mkdtempSync(`${tmpdir()}/mtc-kafka-`);
  const ports = freePorts(2 * nodes);
  const java = (args: string[], log: string) =>
    Bun.spawn([...ENDS_WITH_US, "nice", "-n", "10", "java", ...JVM, "-cp", findKafka() ?? "", ...args], {
      stdout: Bun.file(log),
      stderr: Bun.file(`${log}.err`),
    });
  const running: (ReturnType<typeof java> | undefined)[] = [];
  const start = async (node: number): Promise<void> => {
    running[node] = java(["kafka.Kafka", `${dir}/${node}.properties`], `${dir}/${node}.log`);
    await listening(ports[node] ?? 0);
  };
  const kill = async (node: number): Promise<void> => {
    running[node]?.kill("SIGKILL");
    await running[node]?.exited;
    running[node] = undefined;
  };

  for (let node = 0; node < nodes; node++) {
    const file = `${dir}/${node}.properties`;
    writeFileSync(file, properties(node, nodes, ports, dir));
    const formatted = java(
      ["kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", file],
      `${dir}/format.log`,
    );
    if ((await formatted.exited) !== 0) throw new Error(await Bun.file(`${dir}/format.log.err`).text());
  }
  await Promise.all(Array.from({ length: nodes }, (_, node) => start(node)));
  return {
    addresses: ports.slice(0, nodes).map((port) => `127.0.0.1:${port}`),
    kill,
    start,
    async stop() {
      for (let node = 0; node < nodes; node++) await kill(node);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** However this process ends, no broker outlives it. */
const ENDS_WITH_US = Bun.which("setpriv") ? ["setpriv", "--pdeathsig", "KILL"] : [];
const JVM = ["-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"];

function properties(node: number, nodes: number, ports: number[], dir: string): string {
  const port = (of: number): number | undefined => ports[of];
  const replicas = Math.min(3, nodes);
  return Object.entries({
    "process.roles": "broker,controller",
    "node.id": node,
    "controller.quorum.voters": Array.from(
      { length: nodes },
      (_, one) => `${one}@127.0.0.1:${port(nodes + one)}`,
    ).join(),
    listeners: `PLAINTEXT://127.0.0.1:${port(node)},CONTROLLER://127.0.0.1:${port(nodes + node)}`,
    "advertised.listeners": `PLAINTEXT://127.0.0.1:${port(node)}`,
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "log.dirs": `${dir}/${node}`,
    "offsets.topic.replication.factor": replicas,
    "offsets.topic.num.partitions": 4,
    "transaction.state.log.replication.factor": replicas,
    "transaction.state.log.min.isr": Math.max(1, replicas - 1),
    "auto.create.topics.enable": false,
    "group.initial.rebalance.delay.ms": 0,
    "num.network.threads": 2,
    "num.io.threads": 2,
  })
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");
}

function freePorts(count: number): number[] {
  const held = Array.from({ length: count }, () =>
    Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } }),
  );
  const ports = held.map(({ port }) => port);
  for (const one of held) one.stop(true);
  return ports;
}

async function listening(port: number): Promise<void> {
  const end = Date.now() + READY_WITHIN_MS;
  for (;;) {
    try {
      (await Bun.connect({ hostname: "127.0.0.1", port, socket: { data() {} } })).end();
      return;
    } catch (error) {
      if (Date.now() > end) throw error;
      await Bun.sleep(100);
    }
  }
}
