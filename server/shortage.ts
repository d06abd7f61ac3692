// A disk that runs short: what is kept longer than it must be makes room, in a stated order, until there is some (SPEC 14.10).
import { existsSync, readFileSync, statfsSync } from "node:fs";
import type { Engine } from "../analytics-sql/engine/engine.ts";
import { literal } from "../analytics-sql/engine/literal.ts";
import { DAY_US, type Lake } from "../analytics-sql/lake/lake.ts";
import type { LakeWriter } from "../analytics-sql/lake/writer.ts";
import { type Repeating, repeat } from "../analytics-sql/repeat.ts";
import { isShort } from "../ingest/store/room.ts";
import type { Store } from "../ingest/store/store.ts";
import type { Failing, Trouble } from "../ingest/trouble.ts";
import { writeWhole } from "./whole-file.ts";

const DAY_MS = 86_400_000;
const LOOK_MS = 60_000;
/** What was given up is off the disk some seconds later. */
const AGAIN_MS = 10_000;
/** In the data directory: days before this one may have left the table sooner than retention says. */
const FORGOTTEN = "raw_forgotten_before";

/** Something that can be given up; the younger half of it a look later, if need be. */
export type Step = {
  /** In words, as the log and the health page have it. */
  what: string;
  /** Gives up the oldest of it. @returns whether there was any */
  give(now_ms: number): Promise<boolean>;
};

export type Shortage = Repeating & {
  /** Since when the disk runs short, and what is given up. */
  failing(): Failing | undefined;
};

type Deps = {
  runsShort: () => Promise<boolean>;
  /** The first that has anything gives. */
  steps: readonly Step[];
  /** Retention's time: a clock that was set is no reason to give anything up. */
  now_ms: () => Promise<number>;
  trouble: Trouble;
};

/** Looks at the disk now and then, and more often while it is short. */
export function watchShortage(deps: Deps): Shortage {
  const repeating = repeat(async () => ((await lookOnce(deps)) ? AGAIN_MS : LOOK_MS));
  return { ...repeating, failing: () => deps.trouble.failing };
}

/** @returns whether the disk is short */
export async function lookOnce({ runsShort, steps, now_ms, trouble }: Deps): Promise<boolean> {
  try {
    if (!(await runsShort())) {
      trouble.over();
      return false;
    }
    const at_ms = await now_ms();
    let given = "nothing is left that may be given up: make room";
    for (const { what, give } of steps) {
      if (!(await give(at_ms))) continue;
      given = `${what} sooner than retention says`;
      break;
    }
    trouble.failed(new Error(`the disk runs short: ${given}`));
  } catch (error) {
    trouble.failed(error);
  }
  return true;
}

type Kept = {
  store: Pick<Store, "freeBytes" | "purge">;
  engine: Pick<Engine, "query" | "maintain">;
  lake: Lake | undefined;
  lake_writer: Pick<LakeWriter, "oldestWritten" | "forget"> | undefined;
  data_dir: string;
  raw_retention_days: number;
  /** What is in the log now must stay there. */
  holdsLog: () => Promise<boolean>;
};

/** What leaves the log is room for the log: its file does not shrink. */
export const shortOf =
  ({ store, data_dir }: Pick<Kept, "store" | "data_dir">) =>
  async (): Promise<boolean> => {
    const { bavail, blocks, bsize } = statfsSync(data_dir);
    return isShort({ bavail: bavail + Math.floor((await store.freeBytes()) / bsize), blocks, bsize });
  };

/** In the order in which they give; nothing of the last day is given up, nor what was not delivered, nor configuration. */
export function stepsOf(kept: Kept): Step[] {
  const { store, engine, lake, lake_writer, data_dir, raw_retention_days, holdsLog } = kept;
  return [
    {
      what: "raw observations that are in the lake leave analytics",
      async give(now_ms) {
        const date = lake_writer?.oldestWritten(now_ms - DAY_MS);
        if (!lake || !lake_writer || date === undefined) return false;
        // Whoever reads from now on looks for them in the lake.
        const before_us = Math.max(lake.forgotten_before_us, Date.parse(date) * 1_000 + DAY_US);
        writeWhole(`${data_dir}/${FORGOTTEN}`, `${dateOf(before_us / 1_000)}\n`);
        lake.forgotten_before_us = before_us;
        await lake_writer.forget(date);
        return true;
      },
    },
    {
      what: "delivered observations leave the log",
      async give(now_ms) {
        if (await holdsLog()) return false;
        // Half of retention, then half of that, down to a day.
        for (let days = raw_retention_days; ; ) {
          days = Math.max(1, days / 2);
          let purged = 0;
          for (let n = 1; n > 0; purged += n) n = await store.purge(now_ms - days * DAY_MS);
          if (purged > 0 || days <= 1) return purged > 0;
        }
      },
    },
    {
      what: "raw observations leave analytics",
      async give(now_ms) {
        // With a lake they are on their way there, and would be nowhere.
        if (lake) return false;
        const [oldest] = await engine.query<{ partition: string }>(
          `SELECT min(partition_id) AS partition FROM system.parts
           WHERE active AND rows > 0 AND database = 'mtc' AND table = 'observations'
             AND partition_id < {before:String}
           HAVING partition != ''`,
          { before: dateOf(now_ms - DAY_MS).replaceAll("-", "") },
        );
        if (!oldest) return false;
        await engine.maintain(`ALTER TABLE mtc.observations DROP PARTITION ID ${literal(oldest.partition)}`);
        return true;
      },
    },
  ];
}

/** What earlier runs have given up of the table, µs; 0: nothing. */
export function forgottenBefore_us(data_dir: string): number {
  const file = `${data_dir}/${FORGOTTEN}`;
  if (!existsSync(file)) return 0;
  return (Date.parse(readFileSync(file, "utf8").trim()) || 0) * 1_000;
}

const dateOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
