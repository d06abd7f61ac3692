// The process of the embedded engine: chDB on a Unix socket, for the program that started it and no longer than it.
import { rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { Host } from "./host.ts";
import { CLOSE, READY } from "./line.ts";

/** One insert is bounded by whoever sends it; this is more than any of them. */
const MAX_BODY_BYTES = 1024 ** 3;
/** Where memory ends, this process goes first: it is started again, and nothing is lost. */
const OOM_SCORE = "1000";

const [path = "", socket = ""] = process.argv.slice(2);

// A terminal tells all processes of the group that they should end; this one ends after the one that started it.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});
if (process.platform === "linux") writeFileSync("/proc/self/oom_score_adj", OOM_SCORE);

const host = open();
const server = Bun.serve({
  unix: socket,
  maxRequestBodySize: MAX_BODY_BYTES,
  fetch(request, server) {
    // A request is bounded by its query; nothing is cut because it takes long.
    server.timeout(request, 0);
    return host.answer(request);
  },
});
process.stdout.write(`${READY}\n`);

function open(): Host {
  try {
    return new Host(path);
  } catch (error) {
    // Told to whoever started this, who knows what to do about it.
    process.stdout.write((error as Error).message);
    process.exit(1);
  }
}

if (await toldToClose()) {
  await server.stop(true);
  await host.close();
  process.exit(0);
}
// The program is gone, without a word: so is whoever waited for a query, and a native one can be ended in no other way.
rmSync(dirname(socket), { recursive: true, force: true });
process.kill(process.pid, "SIGKILL");

/** Resolves when the word comes, or nothing can come any more. */
async function toldToClose(): Promise<boolean> {
  let told = "";
  try {
    for await (const chunk of Bun.stdin.stream()) {
      told += new TextDecoder().decode(chunk);
      if (told.includes(CLOSE)) return true;
    }
  } catch {
    // A program that is killed may leave the pipe broken instead of ended.
  }
  return false;
}
