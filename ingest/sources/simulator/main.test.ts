// `bun run simulate` as a person runs it.
import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { until } from "../../../.ci/limits.ts";

const NIST = `${import.meta.dir}/../../../../shared/data/nist`;
const have = existsSync(NIST);
if (!have) console.warn(`skipping the replay from the command line: ${NIST} is absent`);

const MAIN = `${import.meta.dir}/main.ts`;
const run = (...args: string[]) => Bun.spawn(["bun", MAIN, ...args], { stdout: "pipe", stderr: "pipe" });

test("starts the plant, prints its URLs, ends on SIGTERM", async () => {
  const child = run("--cncs", "2", "--days", "0", "--agent-port", "0", "--modbus-port", "0");
  let output = "";
  for await (const chunk of child.stdout) {
    output += new TextDecoder().decode(chunk);
    if (output.includes("ADAM-6050")) break;
  }
  const url = /MTConnect agent: (\S+) \(2 machines\)/.exec(output)?.[1] ?? "";
  expect(await (await fetch(url)).text()).toContain('<Device id="demo-integrex-1" name="Integrex-1"');
  expect(output).toMatch(/ADAM-6050: modbus-tcp:\/\/127\.0\.0\.1:\d+ unit 1/);
  child.kill("SIGTERM");
  expect(await child.exited).toBe(0);
});

test("a wrong option is told, with the usage", async () => {
  for (const [args, message] of [
    [["--cncs", "many"], "--cncs takes a whole number, not 'many'"],
    [["--shdr", "x.shdr"], "--shdr needs --model"],
    [["--colour", "red"], "--colour"],
  ] as const) {
    const child = run(...args);
    expect(await child.exited).toBe(2);
    const error = await new Response(child.stderr).text();
    expect(error).toContain(message);
    expect(error).toContain("bun run simulate");
  }
});

test.skipIf(!have)("replays a recording and says what it found", async () => {
  const file = `${NIST}/hurco04-2017-02-01.shdr`;
  const model = `${NIST}/tdp-devices.xml`;
  const child = run("--shdr", file, "--model", model, "--device", "Hurco04", "--agent-port", "0");
  let output = "";
  const reading = (async () => {
    for await (const chunk of child.stdout) output += new TextDecoder().decode(chunk);
  })();
  await until(() => output.includes("replayed"));
  expect(output).toContain("replayed 66160 observations; 9 torn lines, 0 unknown keys");
  child.kill("SIGINT");
  expect(await child.exited).toBe(0);
  await reading;
});
