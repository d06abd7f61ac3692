// A disk that runs short: what is kept longer than it must be makes room, in a stated order, until there is some (SPEC 14.10).
import { existsSync, readFileSync, statfsSync } from "node:fs";
import type { Engine } from "../analytics-sql/engine/engine.ts";
import { literal } from "../analytics-sql/engine/literal.ts";
import { DAY_US, type Lake } from "../analytics-sql/lake/lake.ts";
import type { LakeWriter } from "../analytics-sql/lake/writer.ts";
import { type BackgroundLoop, backgroundLoop } from "../domain/lib/background-loop.ts";
import { type Lack, lackOf } from "../ingest/store/room.ts";
import type { Store } from "../ingest/store/store.ts";
import { causeOf, type Failing, type Trouble } from "../ingest/trouble.ts";
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
  /** What it gives is room for the log alone, whose file does not shrink. */
  for_log?: true;
  /** Gives up the oldest of it. @returns whether there was any @throws Error with why it cannot be told yet */
  give(now_ms: number): Promise<boolean>;
};

export type Shortage = BackgroundLoop & {
  /** Since when the disk runs short, and what is given up. */
  failing(): Failing | undefined;
};

type Deps = {
  lack: () => Promise<Lack>;
  /** Somebody copies what would be given up. */
  copied: () => boolean;
  /** The first that has anything gives. */
  steps: readonly Step[];
  /** Retention's time: a clock that was set is no reason to give anything up. */
  now_ms: () => Promise<number>;
  trouble: Trouble;
};

/** Looks at the disk now and then, and more often while it is short. */
export function watchShortage(deps: Deps): Shortage {
  const repeating = backgroundLoop(async () => ((await lookOnce(deps)) ? AGAIN_MS : LOOK_MS));
  return { ...repeating, failing: () => deps.trouble.failing };
}

/** @returns whether the disk is short */
export async function lookOnce({ lack, copied, steps, now_ms, trouble }: Deps): Promise<boolean> {
  try {
    const lacking = await lack();
    if (lacking === "none") {
      trouble.over();
      return false;
    }
    const helping = steps.filter(({ for_log }) => lacking === "log" || !for_log);
    const what = copied() ? "nothing goes while a backup is made" : await giveFirst(helping, await now_ms());
    trouble.failed(new Error(`the disk runs short: ${what}`));
  } catch (error) {
    trouble.failed(error);
  }
  return true;
}

/** One that fails keeps no other from giving. @returns what gave, or why nothing did */
async function giveFirst(steps: readonly Step[], now_ms: number): Promise<string> {
  let why = "nothing is left that may be given up: make room";
  for (const { what, give } of steps)
    try {
      if (await give(now_ms)) return `${what} sooner than retention says`;
    } catch (error) {
      why = causeOf(error);
    }
  return why;
}

type Kept = {
  store: Pick<Store, "freeBytes" | "purge">;
  engine: Pick<Engine, "query" | "maintain">;
  lake: Lake | undefined;
  lake_writer: Pick<LakeWriter, "oldestWritten" | "forget"> | undefined;
  /** Since the start the lake was looked through, or cannot be: before that nobody knows what it has. */
  lakeLooked: () => boolean;
  data_dir: string;
  raw_retention_days: number;
  /** What is in the log now must stay there. */
  holdsLog: () => Promise<boolean>;
};

/** Looks at the data directory's disk. */
export const lackWhere =
  ({ store, data_dir }: Pick<Kept, "store" | "data_dir">) =>
  async (): Promise<Lack> =>
    lackOf(statfsSync(data_dir), await store.freeBytes());

/** In the order in which they give; nothing of the last day is given up, nor what was not delivered, nor configuration. */
export function stepsOf(kept: Kept): Step[] {
  const { store, engine, lake, lake_writer, lakeLooked, data_dir, raw_retention_days, holdsLog } = kept;
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
      for_log: true,
      async give(now_ms) {
        if (lake && !lakeLooked()) throw new Error("it is not known yet what the lake has");
        // Half of retention, then half of that, down to a day.
        for (let days = raw_retention_days; ; ) {
          days = Math.max(1, days / 2);
          let purged = 0;
          for (let n = 1; n > 0 && !(await holdsLog()); purged += n)
            n = await store.purge(now_ms - days * DAY_MS);
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
