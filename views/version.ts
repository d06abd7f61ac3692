// Which version of the screens this server has: equal where pages, words and browser code are equal.
import { readFileSync } from "node:fs";

const ROOT = `${import.meta.dir}/`;
const FILES = "{*,client/**/*,components/**/*,pages/**/*,public/*,text/*}";
const TESTS = /\.test\.tsx?$|^preview\.ts$/;

/** The same on every server that runs the same code; a page whose own is another loads itself anew. */
export const VERSION = digest();

function digest(): string {
  const hash = new Bun.CryptoHasher("sha256");
  const files = [...new Bun.Glob(FILES).scanSync({ cwd: ROOT, onlyFiles: true })]
    .filter((file) => !TESTS.test(file))
    .sort();
  for (const file of files) hash.update(file).update(readFileSync(ROOT + file));
  // htmx and uPlot are of the lock file's versions.
  hash.update(readFileSync(`${ROOT}../bun.lock`));
  return hash.digest("hex").slice(0, 12);
}
