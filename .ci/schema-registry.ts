// Finds a schema registry for the tests, or fetches one from Maven Central where the script may: Apicurio, which speaks
// Confluent's API (Confluent's own is not on Maven Central). The 3.x line wants Java 21.
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";

const VERSION = "2.6.13.Final";
const HOME = `${homedir()}/.cache/mtc-tests/apicurio-${VERSION}`;
const RUNNER = `${HOME}/apicurio-registry-app-${VERSION}-runner.jar`;

/** @returns the jar to run, or undefined: then its tests skip by name */
export const findSchemaRegistry = (): string | undefined =>
  existsSync(RUNNER) && Bun.which("java") ? RUNNER : undefined;

/** @returns the jar to run, or a word on why there is none */
export function provideSchemaRegistry(): string {
  const found = findSchemaRegistry();
  if (found) return found;
  const maven = Bun.which("mvn");
  if (!maven || !Bun.which("java")) return "there is no mvn and java";
  console.log(`fetching Apicurio Registry ${VERSION} for the tests …`);
  const making = `${HOME}.making`;
  rmSync(making, { recursive: true, force: true });
  mkdirSync(making, { recursive: true });
  const archive = `io.apicurio:apicurio-registry-app:${VERSION}:tar.gz:all`;
  for (const command of [
    [maven, "-q", "-B", "dependency:copy", `-Dartifact=${archive}`, `-DoutputDirectory=${making}`],
    ["tar", "xzf", `apicurio-registry-app-${VERSION}-all.tar.gz`],
    ["rm", `apicurio-registry-app-${VERSION}-all.tar.gz`],
  ]) {
    const { success, stdout, stderr } = Bun.spawnSync(command, {
      cwd: making,
      stdout: "pipe",
      stderr: "pipe",
    });
    const said = `${stdout.toString()}\n${stderr.toString()}`.trim().split("\n");
    if (!success) return said[0] || `${command[0]} failed`;
  }
  renameSync(making, HOME);
  return findSchemaRegistry() ?? "not there after fetching it";
}
