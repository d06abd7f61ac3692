// Writes what is made of tables: parts of SQL, docs/oee-definitions.md. `generate.test.ts` holds that it was run.
import { withBlock } from "../analytics-sql/generate/blocks.ts";
import { FIGURE_BLOCKS, FIGURE_FILES } from "../analytics-sql/generate/figures.ts";
import { STATE_BLOCKS } from "../analytics-sql/generate/state-rules.ts";
import { definitions } from "./definitions.ts";
import { ROOT } from "./imports.ts";

/** Every part of a file that is generated. */
export const BLOCKS = [...FIGURE_BLOCKS, ...STATE_BLOCKS];

/** @returns every file that is generated, as it should be, by its path from the project's root */
export async function generated(): Promise<Map<string, string>> {
  const texts = new Map([...Object.entries(FIGURE_FILES), ["docs/oee-definitions.md", definitions()]]);
  for (const block of BLOCKS) {
    const text = texts.get(block.file) ?? (await Bun.file(ROOT + block.file).text());
    texts.set(block.file, withBlock(text, block));
  }
  return texts;
}

if (import.meta.main) for (const [file, text] of await generated()) await Bun.write(ROOT + file, text);
