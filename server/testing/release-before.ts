// The last release that noted no schema's version, as a program of its own: from the repository's history.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";

const ROOT = new URL("../..", import.meta.url).pathname;
const COMMIT = "1983016cfc6b94b68c2bda4a1eb0b24e1a884bf5";

export type ReleaseBefore = { root: string; remove(): void };

/** @returns undefined where the history is not here, which is said */
export function releaseBefore(): ReleaseBefore | undefined {
  const root = mkdtempSync(`${tmpdir()}/mtc-before-`);
  const git = (...args: string[]) => spawnSync("git", ["-C", ROOT, ...args], { encoding: "utf8" });
  const remove = (): void => rmSync(root, { recursive: true, force: true });
  const archive = `${root}/source.tar`;
  const made =
    git("archive", "--output", archive, COMMIT).status === 0 &&
    spawnSync("tar", ["-xf", archive, "-C", root]).status === 0;
  if (!made) {
    remove();
    console.warn(`skipped: the release before (needs the repository's history with ${COMMIT})`);
    return undefined;
  }
  symlinkSync(`${ROOT}node_modules`, `${root}/node_modules`);
  return { root, remove };
}
