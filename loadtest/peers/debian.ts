// Programs of Debian's packages: those installed, else unpacked beside the temporary files without installing them.
import { existsSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";

const UNPACKED = `${tmpdir()}/mtc-bench-peers`;

/**
 * Finds a package's program. Unpacked it starts no service and changes nothing of the system.
 * @param may_fetch download the package where it is not here yet
 * @returns the program's path, or why there is none
 */
export async function debianProgram(
  name: string,
  binary: string,
  may_fetch: boolean,
): Promise<{ path: string } | { missing: string }> {
  const installed = Bun.which(binary);
  if (installed) return { path: installed };
  const path = `${UNPACKED}/${name}/usr/bin/${binary}`;
  if (existsSync(path)) return { path };
  if (!may_fetch) return { missing: "not installed" };
  if (!Bun.which("apt-get") || !Bun.which("dpkg-deb")) return { missing: "no Debian here" };
  mkdirSync(UNPACKED, { recursive: true });
  // Lists may be old or missing; only root may renew them, and where they are right nothing is lost.
  if (process.getuid?.() === 0) await run(["apt-get", "update", "-q"]);
  if (!(await run(["apt-get", "download", "-q", name]))) return { missing: `no package ${name} to be had` };
  const [file] = [...new Bun.Glob(`${name}_*.deb`).scanSync({ cwd: UNPACKED })];
  if (!file || !(await run(["dpkg-deb", "-x", file, name]))) return { missing: `${name} does not unpack` };
  return existsSync(path) ? { path } : { missing: `${name} has no ${binary}` };
}

async function run(command: string[]): Promise<boolean> {
  const child = Bun.spawn(command, { cwd: UNPACKED, stdin: "ignore", stdout: "ignore", stderr: "ignore" });
  return (await child.exited) === 0;
}
