// A real schema registry on loopback for a test file, with nothing in it.
import { until } from "../../.ci/limits.ts";
import { findSchemaRegistry } from "../../.ci/schema-registry.ts";
import { freePort } from "../free-ports.ts";

export const hasSchemaRegistry = findSchemaRegistry() !== undefined;

export async function startSchemaRegistry(): Promise<{ url: string; stop(): Promise<void> }> {
  const port = freePort();
  const ends_with_us = Bun.which("setpriv") ? ["setpriv", "--pdeathsig", "KILL"] : [];
  const jvm = ["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"];
  const running = Bun.spawn(
    [...ends_with_us, "nice", "-n", "10", "java", ...jvm, "-jar", findSchemaRegistry() ?? ""],
    {
      env: { ...process.env, QUARKUS_HTTP_HOST: "127.0.0.1", QUARKUS_HTTP_PORT: String(port) },
      stdout: "ignore",
      stderr: "ignore",
    },
  );
  // Where its API is as Confluent's.
  const url = `http://127.0.0.1:${port}/apis/ccompat/v7`;
  await until(() => {
    if (running.exitCode !== null) throw new Error("the schema registry does not start");
    return fetch(`${url}/subjects`).then(
      ({ ok }) => ok,
      () => false,
    );
  });
  return {
    url,
    async stop() {
      running.kill("SIGKILL");
      await running.exited;
    },
  };
}
