// The command line: what is taken, and what is refused in which words.
import { expect, test } from "bun:test";
import { HELP, parseOptions } from "./options.ts";

test("without options it is the demo on its ports; every option is in the help", () => {
  expect(parseOptions([])).toEqual({
    seed: "mtc",
    faults: 0,
    agentPort: 5000,
    modbusPort: 5020,
    hostname: "127.0.0.1",
    dialect: "2.x",
  });
  expect(parseOptions(["--help"])).toBe("help");
  const all =
    "--cncs 6 --agents 2 --days 0.5 --speed 60 --start 2026-01-12T07:00:00Z --seed a --faults 30".split(" ");
  const more =
    "--unplugged --truth t --dialect 1.4 --schema 1.3 --json 1 --buffer 600 --agent-port 0 --modbus-port 0 --host ::1".split(
      " ",
    );
  expect(parseOptions([...all, ...more])).toEqual({
    cncs: 6,
    agents: 2,
    days: 0.5,
    speed: 60,
    start_ms: Date.parse("2026-01-12T07:00:00Z"),
    seed: "a",
    faults: 30,
    unplugged: true,
    truth: "t",
    dialect: "1.4",
    schema: "1.3",
    json_version: 1,
    bufferSize: 600,
    agentPort: 0,
    modbusPort: 0,
    hostname: "::1",
  });
  for (const option of [...all, ...more].filter((word) => word.startsWith("--")))
    expect(HELP).toContain(option);
});

test.each([
  [["--cncs", "0"], "--cncs is 1 to 1000, not 0"],
  [["--cncs", "2.5"], "--cncs takes a whole number, not '2.5'"],
  [["--speed", "fast"], "--speed takes a number, not 'fast'"],
  [["--speed", "-1"], "--speed"],
  [["--faults", "1e9"], "--faults is 0 to 600, not 1e9"],
  [["--start", "tomorrow"], "--start takes a time like 2026-01-12T07:00:00Z, not 'tomorrow'"],
  [["--dialect", "3"], "--dialect is 1.4 or 2.x, not '3'"],
  [["--schema", "new"], "--schema is a version like 1.4 or 2.6, not 'new'"],
  [["--shdr", "x.shdr"], "--shdr needs --model"],
  [["--unplugged", "--buffer", "600"], "--unplugged needs --faults and --buffer"],
  [["--unplugged", "--faults", "30"], "--unplugged needs --faults and --buffer"],
  [["--colour", "red"], "--colour"],
  [["plant"], "plant"],
])("%j is refused", (args, message) => {
  expect(() => parseOptions(args)).toThrow(message);
});
