// Blocks of SQL files that are made of tables in domain/: between two marks, so that the files read as SQL.
import { STATE_BLOCKS } from "./state-rules.ts";

/** Files that hold such blocks. */
export const FILES = ["explain/in-force.sql", "timeline/states.sql", "timeline/timeline.sql"].map(
  (path) => new URL(`../queries/${path}`, import.meta.url).pathname,
);
const BLOCKS = STATE_BLOCKS;
const BLOCK = /^( *)-- generated: (.+)\n(?:.*\n)*?\1-- end of generated\n/gm;

/** @returns the file's text with each block made anew @throws Error of a mark that names no block, or has no end */
export function generated(text: string): string {
  let found = 0;
  const made = text.replaceAll(BLOCK, (_, indent: string, name: string) => {
    const block = BLOCKS[name];
    if (!block) throw new Error(`there is no block "${name}"`);
    found += 1;
    const lines = [`-- generated: ${name}`, ...block(), "-- end of generated"];
    return lines.map((line) => `${indent}${line}\n`).join("");
  });
  if (found !== text.split("-- generated: ").length - 1) throw new Error("a generated block has no end");
  return made;
}

/** The blocks that a text holds. */
export const blocksIn = (text: string): string[] => [...text.matchAll(BLOCK)].map(([, , name = ""]) => name);

/** Every block there is. */
export const BLOCK_NAMES: readonly string[] = Object.keys(BLOCKS);
