// Which of our files a file needs, by its imports.
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";

export const ROOT = new URL("..", import.meta.url).pathname;

/** @param files paths from the project's root @returns those and all that they import of ours */
export function importsOf(files: readonly string[]): Set<string> {
  const [ts, tsx] = [new Bun.Transpiler({ loader: "ts" }), new Bun.Transpiler({ loader: "tsx" })];
  const seen = new Set(files);
  for (const file of seen)
    for (const { path } of (file.endsWith("x") ? tsx : ts).scanImports(
      readFileSync(join(ROOT, file), "utf8"),
    )) {
      const imported = normalize(join(dirname(file), path));
      if (path.startsWith(".") && /\.tsx?$/.test(path) && existsSync(join(ROOT, imported)))
        seen.add(imported);
    }
  return seen;
}
