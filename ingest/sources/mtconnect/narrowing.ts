// Reads on where a document cannot be read: smaller pages first, then from behind what is broken.
import { AgentError } from "./client.ts";
import type { StreamsDocument } from "./document.ts";
import { Unreadable } from "./exchange.ts";

/** Asks for one page. */
export type Sample = (count: number, from: number) => Promise<StreamsDocument>;

/** How far behind a broken observation the next one that can be read is looked for. */
const MAX_SKIP_ROWS = 131_072;

export type Page = {
  document: StreamsDocument;
  /** The sequence it was asked from. */
  from: number;
};

/**
 * Reads a page, or as much of it as can be read.
 * @returns what lies between `from` and the page's own `from` cannot be read
 * @throws Unreadable where nothing from there on can be read: then it is the agent that is broken, not an observation
 */
export async function readAround(sample: Sample, count: number, from: number): Promise<Page> {
  try {
    return { document: await narrowed((rows) => sample(rows, from), count), from };
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    return await readBehind(sample, from, error);
  }
}

/** Asks for fewer and fewer rows until they can be read. @throws Unreadable where not even one can */
export async function narrowed<T>(read: (rows: number) => Promise<T>, count: number): Promise<T> {
  for (let rows = count; ; rows = Math.floor(rows / 2)) {
    try {
      return await read(rows);
    } catch (error) {
      if (!(error instanceof Unreadable) || rows <= 1) throw error;
    }
  }
}

/** Leaps until something can be read, then halves the last leap until the first that can be read is found. */
async function readBehind(sample: Sample, from: number, broken: Unreadable): Promise<Page> {
  let unread = from;
  let page: Page | undefined;
  const look = async (at: number): Promise<void> => {
    try {
      page = { document: await sample(1, at), from: at };
    } catch (error) {
      // Beyond what the agent has: nothing it has could be read.
      if (error instanceof AgentError && error.out_of_range) throw broken;
      if (!(error instanceof Unreadable)) throw error;
      unread = at;
    }
  };
  for (let leap = 1; !page && leap <= MAX_SKIP_ROWS; leap *= 2) await look(from + leap);
  if (!page) throw broken;
  while (page.from - unread > 1) await look(Math.floor((page.from + unread) / 2));
  return page;
}
