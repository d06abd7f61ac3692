// From the command to the first answer, on an empty data directory.
import { discard, startServer } from "../../server/testing/server.ts";
import { clock_ms } from "../lib/process.ts";
import { atMost, type Bench } from "../lib/report.ts";
import { spread } from "../lib/stats.ts";

export const start: Bench = {
  name: "start",
  async run({ sizes, report }) {
    const times_s: number[] = [];
    for (let i = 0; i < sizes.rounds; i++) {
      const began_ms = clock_ms();
      const server = await startServer();
      const { status } = await server.call("GET", "/readyz");
      times_s.push((clock_ms() - began_ms) / 1_000);
      await discard(server);
      if (status !== 200) throw new Error(`/readyz was answered with ${status}`);
    }
    const found = spread(times_s);
    report({
      name: "start.ready",
      ...found,
      unit: "s",
      ...atMost(5, found.value),
      note: "an empty data directory",
    });
  },
};
