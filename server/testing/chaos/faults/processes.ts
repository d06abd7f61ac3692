// For tests: what ends or stops the embedded program's processes, and what else starts beside them.
import { rmSync } from "node:fs";
import { pace, until } from "../../../../.ci/limits.ts";
import { signalled } from "../../engine-process.ts";
import { putBroken } from "../../poison.ts";
import { startServer, tempDir } from "../../server.ts";
import type { Embedded } from "../embedded.ts";
import { between_ms, type Fault, must } from "../fault.ts";

export const killProgram: Fault<Embedded> = {
  name: "kill -9 of the program",
  times: 4,
  run: (plant) =>
    plant.alone(async () => {
      await plant.kill();
      const over_ms = performance.now();
      await plant.start();
      return over_ms;
    }),
};

export const stopProgram: Fault<Embedded> = {
  name: "SIGTERM under load",
  run: (plant) =>
    plant.alone(async () => {
      const code = await plant.stop();
      must(code === 0, `SIGTERM: the program ended with ${code}`);
      const over_ms = performance.now();
      await plant.start();
      return over_ms;
    }),
};

/** Of an event that is in the log and that analytics will never read: it is set aside, and what is behind it goes on. */
export const poisonLog: Fault<Embedded> = {
  name: "poison in the log",
  run: (plant) =>
    plant.alone(async () => {
      await plant.stop();
      await putBroken(plant.data_dir, "poisoned");
      const over_ms = performance.now();
      await plant.start();
      return over_ms;
    }),
};

export const killEngine: Fault<Embedded> = {
  name: "kill -9 of the engine",
  times: 4,
  async run(plant) {
    await until(() => signalled(plant.engine, "SIGKILL"));
    return performance.now();
  },
};

const HANGS_MS = [500, 4_000] as const;

export const hangEngine: Fault<Embedded> = {
  name: "a hung engine",
  async run(plant, random) {
    const engine = await until(() => plant.engine);
    signalled(engine, "SIGSTOP");
    await pace(between_ms(random, ...HANGS_MS));
    signalled(engine, "SIGCONT");
    return performance.now();
  },
};

export const hangProgram: Fault<Embedded> = {
  name: "a hung program",
  run: (plant, random) =>
    plant.alone(() =>
      plant.notAsked(async () => {
        signalled(plant.server.pid, "SIGSTOP");
        await pace(between_ms(random, ...HANGS_MS));
        signalled(plant.server.pid, "SIGCONT");
        return performance.now();
      }),
    ),
};

export const secondProgram: Fault<Embedded> = {
  name: "a second program starts",
  run: (plant) =>
    plant.alone(async () => {
      const own = tempDir();
      try {
        await refused("on its data directory", plant.data_dir, {}, "has this data directory");
        await refused(
          "at its port",
          own,
          { MTC_PORT: String(plant.port) },
          "another running program listens",
        );
      } finally {
        rmSync(own, { recursive: true, force: true });
      }
      return performance.now();
    }),
};

export const olderProgram: Fault<Embedded> = {
  name: "an older program starts",
  lacks: ({ before }) => (before ? undefined : "the release before"),
  run: (plant) =>
    plant.alone(async () => {
      await refused("on its data directory", plant.data_dir, {}, "", plant.before?.root);
      return performance.now();
    }),
};

/** @throws where it starts, or does not say why */
async function refused(
  where: string,
  data_dir: string,
  env: Record<string, string>,
  words: string,
  root?: string,
): Promise<void> {
  const said = await startServer({ MTC_PROFILE: "embedded", ...env }, data_dir, [], root).then(
    async (second) => {
      await second.kill();
      return "it started";
    },
    ({ message }: Error) => message,
  );
  must(said.includes("the server ended with") && said.includes(words), `another program ${where}: ${said}`);
}
