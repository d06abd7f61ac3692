// InfluxDB 1.x from Debian: line protocol, an fsync of its write-ahead log before each answer.
import type { Peer } from "./peer.ts";

type Answer = { results: { series?: { columns: string[]; values: number[][] }[] }[] };

export const influxdb: Peer = {
  name: "influxdb",
  format: "influxdb",
  note: "InfluxDB 1.6 as configured by default: wal-fsync-delay 0s, an fsync before each answer",
  package: "influxdb",
  binary: "influxd",
  ready: "/ping",
  keeps_words: true,
  async args(dir, [port, rpc]) {
    const file = `${dir}/influxdb.conf`;
    await Bun.write(
      file,
      `reporting-disabled = true
bind-address = "127.0.0.1:${rpc}"
[meta]
dir = "${dir}/meta"
[data]
dir = "${dir}/data"
wal-dir = "${dir}/wal"
query-log-enabled = false
[monitor]
store-enabled = false
[http]
bind-address = "127.0.0.1:${port}"
log-enabled = false
`,
    );
    return ["-config", file];
  },
  async prepare(origin) {
    await query(origin, "CREATE DATABASE bench", "POST");
  },
  async count(origin) {
    const { results } = await query(origin, "SELECT count(num), count(word) FROM obs", "GET");
    const [, numbers = 0, words = 0] = results[0]?.series?.[0]?.values[0] ?? [];
    return numbers + words;
  },
};

async function query(origin: string, text: string, method: string): Promise<Answer> {
  const response = await fetch(`${origin}/query?db=bench&q=${encodeURIComponent(text)}`, { method });
  if (!response.ok) throw new Error(`influxdb: ${response.status} ${await response.text()}`);
  return (await response.json()) as Answer;
}
