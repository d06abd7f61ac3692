// Parts of SQL files that are made of tables: between two marks, so that the files read as SQL. `bun run generate` writes them.

/** What stands between `-- generated: <name>` and `-- end of generated` of a file. */
export type Block = {
  /** From the project's root. */
  file: string;
  name: string;
  /** Without the indentation of the marks. */
  lines: readonly string[];
};

const BLOCK = /^( *)-- generated: (.+)\n(?:.*\n)*?\1-- end of generated\n/gm;

/**
 * Puts the block between its marks, with their indentation.
 * @throws where the file has no such marks
 */
export function withBlock(text: string, { file, name, lines }: Block): string {
  let found = false;
  const made = text.replaceAll(BLOCK, (before: string, indent: string, mark: string) => {
    if (mark !== name) return before;
    found = true;
    const all = [`-- generated: ${name}`, ...lines, "-- end of generated"];
    return all.map((line) => `${indent}${line}\n`).join("");
  });
  if (!found) throw new Error(`${file}: there is no "-- generated: ${name}" with its end`);
  return made;
}

/** The names of a file's blocks, with or without an end. */
export const blocksIn = (text: string): string[] =>
  [...text.matchAll(/^ *-- generated: (.+)$/gm)].map(([, name = ""]) => name);
