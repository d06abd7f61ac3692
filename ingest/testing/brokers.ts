// Real Kafka brokers on loopback for a test file: started, killed, started again.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { findKafka } from "../../.ci/kafka.ts";
import { until } from "../../.ci/limits.ts";
import { freePorts } from "../free-ports.ts";

/** Any id serves; a cluster's nodes share it. */
export const CLUSTER_ID = "bXRjLXRlc3QtY2x1c3Rlcg";

export const hasKafka = findKafka() !== undefined;

export type Brokers = {
  addresses: string[];
  /** Of locked ones where they take clients without TLS. */
  without_tls: string[];
  /** SIGKILL. */
  kill(node: number): Promise<void>;
  /** Starts a killed one again, on its own data; resolves when it takes connections. */
  start(node: number): Promise<void>;
  stop(): Promise<void>;
};

/** Starts `nodes` brokers that are controllers as well (KRaft), with empty directories. */
export async function startBrokers(nodes: number, secured?: Secured): Promise<Brokers> {
  const dir = mkdtempSync(`${tmpdir()}/mtc-kafka-`);
  const ports = freePorts(3 * nodes);
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

  const format = async (node: number): Promise<void> => {
    const file = `${dir}/${node}.properties`;
    const all = { ...properties(node, nodes, ports, dir), ...(secured ? lock(secured, node, ports) : {}) };
    writeFileSync(
      file,
      Object.entries(all)
        .map(([name, value]) => `${name}=${value}\n`)
        .join(""),
    );
    const users = secured ? ["SCRAM-SHA-256", "SCRAM-SHA-512"].flatMap((one) => scramUser(one, secured)) : [];
    const log = `${dir}/format-${node}.log`;
    const formatted = java(
      ["kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", file, ...users],
      log,
    );
    if ((await formatted.exited) !== 0) throw new Error(await Bun.file(`${log}.err`).text());
  };
  await Promise.all(
    Array.from({ length: nodes }, async (_, node) => {
      await format(node);
      await start(node);
    }),
  );
  return {
    addresses: ports.slice(0, nodes).map((port) => `127.0.0.1:${port}`),
    without_tls: ports.slice(2 * nodes).map((port) => `127.0.0.1:${port}`),
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
export const JVM = ["-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"];

/** A broker in `dir` that is a controller as well; `ports` are those for clients, then those of the controllers. */
export function properties(
  node: number,
  nodes: number,
  ports: number[],
  dir: string,
): Record<string, unknown> {
  const port = (of: number): number | undefined => ports[of];
  const replicas = Math.min(3, nodes);
  return {
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
    // One that is killed is missed by the others for this long.
    ...(nodes > 1 ? { "broker.session.timeout.ms": 4_000, "broker.heartbeat.interval.ms": 1_000 } : {}),
    "num.network.threads": 2,
    "num.io.threads": 2,
  };
}

/** What a locked broker's clients need. */
export type Secured = {
  /** The broker's certificate, which is its own authority, and the broker's store that holds its key. */
  ca_file: string;
  store: string;
  /** The one user, by every mechanism. */
  username: string;
  password: string;
};

/** Makes a certificate for loopback, and thinks of a user. */
export function makeSecured(dir: string): Secured {
  const [store, ca_file] = [`${dir}/broker.p12`, `${dir}/ca.pem`];
  const keytool = (...args: string[]): void => {
    const common = ["-alias", "broker", "-keystore", store, "-storepass", STORE_PASSWORD];
    const { success, stdout } = Bun.spawnSync(["keytool", ...args, ...common], { stderr: "ignore" });
    if (!success) throw new Error(stdout.toString());
  };
  keytool("-genkeypair", "-keyalg", "EC", "-dname", "CN=localhost", "-ext", "san=ip:127.0.0.1");
  keytool("-exportcert", "-rfc", "-file", ca_file);
  return { ca_file, store, username: "mtc", password: "it's a {group:String} secret" };
}

const STORE_PASSWORD = "changeit";

/** Clients come by SASL only, and by TLS but to the one address that has none. */
function lock({ store, username, password }: Secured, node: number, ports: number[]): Record<string, string> {
  const [port, controller, plain] = [0, 1, 2].map((kind) => ports[(kind * ports.length) / 3 + node]);
  const login = (module: string): string => `org.apache.kafka.common.security.${module} required`;
  const users = `username="${username}" password="${password}" user_${username}="${password}";`;
  const mechanisms = (listener: string): Record<string, string> => ({
    [`listener.name.${listener}.sasl.enabled.mechanisms`]: "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
    [`listener.name.${listener}.plain.sasl.jaas.config`]: `${login("plain.PlainLoginModule")} ${users}`,
    [`listener.name.${listener}.scram-sha-256.sasl.jaas.config`]: `${login("scram.ScramLoginModule")};`,
    [`listener.name.${listener}.scram-sha-512.sasl.jaas.config`]: `${login("scram.ScramLoginModule")};`,
  });
  return {
    listeners: `LOCKED://127.0.0.1:${port},PLAIN://127.0.0.1:${plain},CONTROLLER://127.0.0.1:${controller}`,
    "advertised.listeners": `LOCKED://127.0.0.1:${port},PLAIN://127.0.0.1:${plain}`,
    "listener.security.protocol.map": "LOCKED:SASL_SSL,PLAIN:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT",
    "inter.broker.listener.name": "PLAIN",
    "sasl.mechanism.inter.broker.protocol": "PLAIN",
    "listener.name.locked.ssl.keystore.location": store,
    "listener.name.locked.ssl.keystore.password": STORE_PASSWORD,
    ...mechanisms("locked"),
    ...mechanisms("plain"),
  };
}

const scramUser = (mechanism: string, { username, password }: Secured): string[] => [
  "--add-scram",
  `${mechanism}=[name=${username},password="${password}"]`,
];

const listening = (port: number) =>
  until(() =>
    Bun.connect({ hostname: "127.0.0.1", port, socket: { data() {} } }).then(
      (socket) => socket.end() >= 0,
      () => false,
    ),
  );
