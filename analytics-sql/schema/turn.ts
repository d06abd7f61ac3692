// Whose turn it is to define: of all processes one at a time, which says that it lives, so that one that died is soon followed.
import { type Engine, EngineError } from "../engine/engine.ts";
import { literal } from "../engine/literal.ts";
import meta from "./000_meta.sql" with { type: "text" };

export type Ask = Pick<Engine, "query" | "maintain">;

/** A turn that was taken. */
export type Turn = Ask & {
  /** Is it still this process's, as far as it can tell without asking? */
  held(): boolean;
  end(): Promise<void>;
};

/** ClickHouse's code. */
const TABLE_ALREADY_EXISTS = 57;
const LOOK_MS = 500;
/** Who saw the same one dead frees within this time what it takes for that one's. */
const SETTLE_MS = 1_000;
const BEAT_MS = 5_000;
/** Whoever has said nothing for so long is taken for dead. */
const SILENT_S = 60;
/** And does nothing more itself a good while before. */
const UNSURE_MS = SILENT_S * 500;

/**
 * Waits until no other process defines, and keeps the others waiting. The table `mtc.migrating` says so, which can be made
 * once, with the turn's name as its comment; a row of `mtc.meta` is its beat, since rows wait for no statement that takes
 * long. The database is there.
 * @throws EngineError where the server does not answer, or refuses; so does what the turn is asked for once it is another's
 */
export async function takeTurn(engine: Ask, log: (message: string) => void): Promise<Turn> {
  const token = crypto.randomUUID();
  const [known] = await engine.query(
    "SELECT 1 FROM system.tables WHERE database = 'mtc' AND name = 'meta'",
    {},
  );
  if (!known) await engine.maintain(meta);
  await wait(engine, token, log);
  let beaten_ms = performance.now();
  let beating: Promise<void> | undefined;
  const beat = async (): Promise<void> => {
    const sent_ms = performance.now();
    const held = await holder(engine);
    if (held && held.token !== token) beaten_ms = Number.NEGATIVE_INFINITY;
    if (held?.token !== token) return;
    await engine.maintain(
      "INSERT INTO mtc.meta (name, value, at) SELECT 'migrating', {token:String}, now64(6, 'UTC')",
      { token },
    );
    beaten_ms = sent_ms;
  };
  await beat();
  const held = (): boolean => performance.now() - beaten_ms < UNSURE_MS;
  const timer = setInterval(() => {
    // One that fails is followed by the next: what counts is how long ago the last one was that did not.
    beating ??= beat()
      .catch(() => {})
      .finally(() => {
        beating = undefined;
      });
  }, BEAT_MS);
  return {
    query: engine.query,
    held,
    async maintain(sql, params) {
      if (!held()) throw new EngineError("schema: another process may define by now", 0, false, null);
      await engine.maintain(sql, params);
    },
    async end() {
      clearInterval(timer);
      await beating;
      if (held()) await free(engine, token);
    },
  };
}

async function wait(engine: Ask, token: string, log: (message: string) => void): Promise<void> {
  for (let waited = false; ; waited = true) {
    if (await make(engine, token)) {
      if (!waited) return;
      await Bun.sleep(SETTLE_MS);
      if ((await holder(engine))?.token === token) return;
      continue;
    }
    if (!waited) log("schema: another process brings it up to date");
    const dead = await deadOne(engine);
    if (dead === undefined) await Bun.sleep(LOOK_MS);
    else await free(engine, dead);
  }
}

async function make(engine: Ask, token: string): Promise<boolean> {
  try {
    await engine.maintain(`CREATE TABLE mtc.migrating (at UInt8) ENGINE = Null COMMENT ${literal(token)}`);
    return true;
  } catch (error) {
    if (error instanceof EngineError && error.code === TABLE_ALREADY_EXISTS) return false;
    throw error;
  }
}

/** Nothing where it is another's by now. */
async function free(engine: Ask, token: string): Promise<void> {
  if ((await holder(engine))?.token === token)
    await engine.maintain("DROP TABLE IF EXISTS mtc.migrating SYNC");
}

type Holder = { token: string; age_s: number };

const holder = async (engine: Ask): Promise<Holder | undefined> =>
  (
    await engine.query<Holder>(
      `SELECT comment AS token, dateDiff('second', metadata_modification_time, now('UTC')) AS age_s
       FROM system.tables WHERE database = 'mtc' AND name = 'migrating'`,
      {},
    )
  )[0];

/** The turn of a process that died, by the server's clock alone. */
async function deadOne(engine: Ask): Promise<string | undefined> {
  const held = await holder(engine);
  if (!held || held.age_s < SILENT_S) return undefined;
  const [beat] = await engine.query<{ age_s: number }>(
    `SELECT dateDiff('second', max(at), now64(6, 'UTC')) AS age_s
     FROM mtc.meta WHERE name = 'migrating' AND value = {token:String} HAVING count() > 0`,
    { token: held.token },
  );
  return !beat || beat.age_s >= SILENT_S ? held.token : undefined;
}
