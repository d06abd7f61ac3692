// Finds servers that speak MongoDB's protocol for the tests, or makes them where the script may: no mongod is in a registry.
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { dirname } from "node:path";
import { provideFromPyPI } from "./venv.ts";

const FERRETDB = "1.24.2";
const FERRETDB_BINARY = `${homedir()}/.cache/mtc-tests/ferretdb-${FERRETDB}/ferretdb`;
const SECANTUSDB = "0.7.0b3";
const SECANTUSDB_VENV = `${homedir()}/.cache/mtc-tests/secantusdb-${SECANTUSDB}`;
const SECANTUSDB_BINARY = `${SECANTUSDB_VENV}/bin/secantusd-py`;

/** Without transactions, change streams, time series. @returns its path, or undefined: then its tests skip by name */
export const findFerret = (): string | undefined => existing(FERRETDB_BINARY);

/** With transactions and change streams, on MongoDB's own engine, one node. @returns its path, or undefined */
export const findSecantus = (): string | undefined => existing(SECANTUSDB_BINARY);

/** What starts it on loopback, with its data in `dir`. */
export const ferretCommand = (ferret: string, dir: string, port: number): string[] => [
  ferret,
  "--handler=sqlite",
  `--sqlite-url=file:${dir}/`,
  `--state-dir=${dir}`,
  `--listen-addr=127.0.0.1:${port}`,
  "--debug-addr=-",
  "--telemetry=disable",
];
export const secantusCommand = (secantus: string, dir: string, port: number): string[] => [
  secantus,
  ...["--port", `${port}`, "--storage-path", dir, "--sync-on-commit"],
];

const existing = (path: string): string | undefined => (existsSync(path) ? path : undefined);

type Ran = { success: boolean; stdout: Buffer; stderr: Buffer };
const run = (
  command: string[],
  options: { cwd?: string; env?: Record<string, string | undefined> } = {},
): Ran => Bun.spawnSync(["nice", "-n", "19", ...command], { stdout: "pipe", stderr: "pipe", ...options });
const lastLine = (output: Buffer): string => output.toString().trim().split("\n").at(-1) ?? "";

/**
 * Built from the Go module proxy's source, which takes minutes. `go install` makes one that ends at once: it wants its
 * version in a file that the module leaves out. @returns its path, or a word on why there is none
 */
export function provideFerret(): string {
  const found = findFerret();
  if (found) return found;
  if (!Bun.which("go")) return "there is no go";
  console.log(`building FerretDB ${FERRETDB} for the tests …`);
  const fetched = run(["go", "mod", "download", "-json", `github.com/FerretDB/FerretDB@v${FERRETDB}`], {
    cwd: tmpdir(),
  });
  if (!fetched.success)
    return lastLine(fetched.stderr) || lastLine(fetched.stdout) || "go mod download failed";
  const source = mkdtempSync(`${tmpdir()}/mtc-ferretdb-`);
  try {
    cpSync((JSON.parse(fetched.stdout.toString()) as { Dir: string }).Dir, source, { recursive: true });
    const chmod = run(["chmod", "-R", "u+w", source]);
    if (!chmod.success) return lastLine(chmod.stderr);
    writeFileSync(`${source}/build/version/version.txt`, `v${FERRETDB}`);
    mkdirSync(dirname(FERRETDB_BINARY), { recursive: true });
    const built = run(["go", "build", "-o", FERRETDB_BINARY, "./cmd/ferretdb"], {
      cwd: source,
      env: { ...process.env, CGO_ENABLED: "0" },
    });
    if (!built.success) return lastLine(built.stderr) || "go build failed";
  } finally {
    rmSync(source, { recursive: true, force: true });
  }
  return findFerret() ?? "not there after building it";
}

/** From PyPI, in a place of its own. @returns its path, or a word on why there is none */
export const provideSecantus = (): string =>
  provideFromPyPI(findSecantus, SECANTUSDB_VENV, `SecantusDB==${SECANTUSDB}`);
