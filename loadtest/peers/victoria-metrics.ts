// VictoriaMetrics from Debian: the same line protocol; numbers only, and no fsync before the answer.
import type { Peer } from "./peer.ts";

export const victoriaMetrics: Peer = {
  name: "victoria-metrics",
  format: "victoria-metrics",
  note: "VictoriaMetrics 1.79 as configured by default: no fsync before the answer, words dropped, times in ms",
  package: "victoria-metrics",
  binary: "victoria-metrics",
  ready: "/health",
  keeps_words: false,
  args: (dir, [port]) => [`-storageDataPath=${dir}`, `-httpListenAddr=127.0.0.1:${port}`],
  async settle(origin) {
    await ask(`${origin}/internal/force_flush`);
  },
  async count(origin) {
    const found = await ask(
      `${origin}/api/v1/query?query=${encodeURIComponent("sum(count_over_time(obs_num[2d]))")}&nocache=1`,
    );
    const { data } = (await found.json()) as { data: { result: { value: [number, string] }[] } };
    return Number(data.result[0]?.value[1] ?? 0);
  },
};

async function ask(url: string): Promise<Response> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`victoria-metrics: ${response.status} ${await response.text()}`);
  return response;
}
