// Keeps the roll-up in step with what arrives: in the background, and at once for whoever needs exact figures.

import { type Mutex, mutex } from "../../domain/lib/mutex.ts";
import type { Engine } from "../engine/engine.ts";
import { type MachinePolicy, ownPolicies } from "../queries/policies.ts";
import type { Window } from "../queries/window.ts";
import { apart } from "./apart.ts";
import { firstDays, roll, rolled, runStarts, type Standing, standings } from "./roll.ts";
import { type Aside, AsideList, SetAside } from "./set-aside.ts";

const DAY_US = 86_400_000_000;
/** The earliest time an observation may carry, 2000-01-01: before it there is nothing to roll up. */
const EARLIEST_US = 946_684_800_000_000;
/** Days of machines that one statement rolls up: a thousand busy ones take a few hundred MB. */
const MACHINE_DAYS = 1_000;
/** The same where nobody waits for it: whoever comes meanwhile waits no longer than for that. */
const BACKGROUND_MACHINE_DAYS = 500;

const midnight = (ts_us: number): number => ts_us - (ts_us % DAY_US);

/** A machine and the stretch of its time that must be rolled up again; what is rolled up then, by what had arrived when. */
type Job = {
  machine: string;
  first_us: number;
  last_us: number;
  rolled_from_us: number;
  rolled_to_us: number;
  since_us: number;
};

/**
 * From this age on the roll-up that screens are served from is renewed for them. As a rule the keeper was there before, all
 * machines in one statement, which costs hardly more than one machine does.
 */
const RECENT_US = 20_000_000;

type MinorStops = Pick<MachinePolicy, "minor_stop_us">[];

/** What somebody waits for. */
type Asked = { window: Window; policies: (() => Promise<MinorStops>) | undefined };

/** How a roll-up is done: `turn` is taken for each of its statements, each of so many days of machines. */
type Pace = { turn: Mutex; machine_days: number; background: boolean };

/** What is to be done of a window, the version that it is written under, and the versions of the last notes before it. */
type Plan = {
  tenant: string;
  version: number;
  since_us: number;
  as_of_us: number;
  margin_us: number;
  noted: Map<string, number>;
};

/**
 * One roll-up at a time: a second one waits for the first, and then finds most of its work done. What is done in the
 * background lets others in between its statements: it gives up the machines that they rolled up meanwhile.
 */
export class Roller {
  readonly #engine: Engine;
  /** How far machines are rolled up, by what this roller did itself. */
  readonly #reach = new Map<string, { from_us: number; to_us: number }>();
  /** When it was last seen to that what had arrived of a machine is rolled up, by the asker's clock. */
  readonly #seen = new Map<string, number>();
  /** The version of the last note on a machine. */
  readonly #noted = new Map<string, number>();
  /** The latest version that anything was written under. */
  #version = 0;
  readonly #exclusive = mutex();
  /** By their days: those who wait for their turn. */
  readonly #waiting = new Map<string, { asked: Asked[]; done: Promise<void> }>();
  readonly #inBackground = mutex();
  readonly #aside: AsideList;
  #renewing = false;

  /** @param log is told once of each machine that is set aside */
  constructor(engine: Engine, log: (message: string) => void = () => {}) {
    this.#engine = engine;
    this.#aside = new AsideList(log);
  }

  /**
   * Resolves when the roll-up holds all of the window, by everything that had arrived before the call.
   * @param policies reads those of the window's machines, where they are needed anyway: called when its turn has come
   * @throws EngineError; SetAside where it cannot be had of one of the machines: a figure without it would be another one
   */
  async exact(window: Window, policies?: () => Promise<MinorStops>): Promise<void> {
    await this.#together({ window, policies });
    const aside = this.setAside(window);
    if (aside.length > 0) throw new SetAside(aside, Date.now());
  }

  /**
   * A turn is shared by those who wait for it with the same days: a program that asks for each machine by itself, all at
   * once, waits for one statement, which costs hardly more than one machine's.
   */
  #together(one: Asked): Promise<void> {
    const { tenant, from_us, to_us } = one.window;
    const days = `${tenant} ${midnight(from_us)} ${midnight(to_us - 1)}`;
    const waiting = this.#waiting.get(days);
    if (waiting) {
      waiting.asked.push(one);
      return waiting.done;
    }
    const asked = [one];
    const done = this.#exclusive(() => {
      this.#waiting.delete(days);
      return this.#roll(allOf(asked.map(({ window }) => window)), AT_ONCE, policiesOf(asked));
    });
    this.#waiting.set(days, { asked, done });
    return done;
  }

  /**
   * As `exact`, in the background and of all machines that can be rolled up: the others are set aside, and hold nobody up.
   * @throws EngineError
   */
  roll(window: Window): Promise<void> {
    return this.#inBackground(() =>
      this.#roll(window, { turn: this.#exclusive, machine_days: BACKGROUND_MACHINE_DAYS, background: true }),
    );
  }

  /** Those of the machines that cannot be rolled up, with the engine's words. */
  setAside({ tenant, machines }: Pick<Window, "tenant" | "machines">): Aside[] {
    return this.#aside.of(tenant, machines);
  }

  /**
   * For screens, which ask again and again: takes the roll-up as it is. Only where it has nothing of the window they wait
   * for it; where it is old it is renewed in the background.
   * @returns the window until when all of its machines are rolled up, without those that are set aside
   * @throws EngineError; SetAside where no machine is left
   */
  async recent(asked: Window): Promise<Window> {
    const { as_of_us } = asked;
    const ableOf = (): Window => {
      const aside = this.setAside(asked);
      const out = new Set(aside.map(({ machine }) => machine));
      if (out.size > 0 && out.size === asked.machines.length) throw new SetAside(aside, Date.now());
      return { ...asked, machines: asked.machines.filter((machine) => !out.has(machine)) };
    };
    const isMissing = (): boolean => {
      const { from_us, to_us } = this.#reachOf(ableOf());
      return from_us > asked.from_us || to_us <= asked.from_us;
    };
    const isOld = (): boolean => this.#reachOf(ableOf()).to_us < Math.min(asked.to_us, as_of_us - RECENT_US);
    // After a start, and where another process rolls up, the notes know more.
    if (isMissing() || isOld()) await this.#readNotes(asked);
    // Asked again in its turn: reports of one page come together, and the first one's roll-up is all of theirs.
    if (isMissing())
      await this.#exclusive(async () => {
        if (isMissing()) await this.#roll(asked, AT_ONCE);
      });
    else if (isOld()) this.#renew(asked);
    const window = ableOf();
    const { to_us, seen_us } = this.#reachOf(window);
    // Of what is over, "as of" says when it was looked at: whoever remembers a report asks anew.
    const known_us = window.to_us <= to_us ? Math.max(to_us, seen_us) : to_us;
    return { ...window, as_of_us: Math.min(as_of_us, known_us) };
  }

  async #readNotes({ tenant, machines, as_of_us }: Window): Promise<void> {
    const now_us = this.#engine.visibleUntil_us();
    for (const { machine_id, touched } of await this.#standings({ tenant, machines, now_us }))
      if (!touched) this.#seen.set(`${tenant}/${machine_id}`, as_of_us);
  }

  /** What the notes say of machines, and from then on known here. */
  async #standings(asked: { tenant: string; machines: string[]; now_us: number }): Promise<Standing[]> {
    const known = await standings(this.#engine, asked);
    for (const { machine_id, rolled_from_us: from_us, rolled_to_us: to_us } of known)
      this.#reach.set(`${asked.tenant}/${machine_id}`, { from_us, to_us });
    return known;
  }

  /** One at a time: the next that finds it old asks again. */
  #renew(window: Window): void {
    if (this.#renewing) return;
    this.#renewing = true;
    this.roll(window)
      // The keeper meets the same, and tells of it.
      .catch(() => undefined)
      .finally(() => {
        this.#renewing = false;
      });
  }

  /**
   * Machines whose past is not rolled up yet, and that are rolled up equally far back: those of the latest past.
   * @returns undefined where all of them are rolled up from their first day on
   * @throws EngineError
   */
  async past(
    tenant: string,
    machines: string[],
  ): Promise<{ machines: string[]; until_us: number } | undefined> {
    const firsts = await firstDays(this.#engine, { tenant, machines });
    const from = (machine: string): number => this.#reach.get(`${tenant}/${machine}`)?.from_us ?? 0;
    const behind = machines.filter(
      (machine) =>
        !this.#aside.has(tenant, machine) &&
        from(machine) > (firsts.get(machine) ?? Number.POSITIVE_INFINITY),
    );
    if (behind.length === 0) return undefined;
    const until_us = Math.max(...behind.map(from));
    return { machines: behind.filter((machine) => from(machine) === until_us), until_us };
  }

  /** Until when all of these that are not set aside are rolled up, as far as it was asked for since the start; 0 where one was not. */
  until_us(tenant: string, machines: string[]): number {
    const able = machines.filter((machine) => !this.#aside.has(tenant, machine));
    return able.length === 0 ? 0 : this.#reachOf({ tenant, machines: able }).to_us;
  }

  /** What is rolled up of all of the window's machines. */
  #reachOf({ tenant, machines }: Pick<Window, "tenant" | "machines">): {
    from_us: number;
    to_us: number;
    seen_us: number;
  } {
    const all = machines.map((machine) => this.#reach.get(`${tenant}/${machine}`));
    return {
      from_us: Math.max(0, ...all.map((one) => one?.from_us ?? Number.POSITIVE_INFINITY)),
      to_us: Math.min(Number.MAX_SAFE_INTEGER, ...all.map((one) => one?.to_us ?? 0)),
      seen_us: Math.min(
        Number.MAX_SAFE_INTEGER,
        ...machines.map((machine) => this.#seen.get(`${tenant}/${machine}`) ?? 0),
      ),
    };
  }

  async #roll(asked: Window, pace: Pace, policies?: () => Promise<MinorStops>): Promise<void> {
    const { tenant } = asked;
    const machines = [...new Set(asked.machines)].filter((machine) => !this.#aside.waits(tenant, machine));
    if (machines.length === 0) return;
    const { plan, jobs, untouched } = await pace.turn(() => this.#plan({ ...asked, machines }, policies));
    const overtaken = new Set<string>();
    const failed = await apart(chunks(jobs), (together) =>
      this.#rollTogether(plan, together, pace, overtaken),
    );
    const errors = new Map([...failed].map(([{ machine }, error]) => [machine, error]));
    // One that was touched after the window's end still waits for its roll-up.
    const done = new Set(jobs.filter((job) => job.since_us === plan.since_us).map(({ machine }) => machine));
    for (const machine of machines.filter((one) => !overtaken.has(one))) {
      const error = errors.get(machine);
      if (error) {
        this.#aside.add(tenant, machine, error);
        continue;
      }
      this.#aside.clear(tenant, machine);
      if (done.has(machine) || untouched.has(machine)) this.#seen.set(`${tenant}/${machine}`, plan.as_of_us);
    }
  }

  /** @returns what is to be done, and the machines of which nothing had arrived since they were rolled up */
  async #plan(
    { tenant, machines, from_us, to_us, as_of_us }: Window,
    policies?: () => Promise<MinorStops>,
  ): Promise<{ plan: Plan; jobs: Job[]; untouched: Set<string> }> {
    const engine = this.#engine;
    const since_us = engine.visibleUntil_us();
    const minorStops = policies?.();
    // Where the notes cannot be read, nobody waits for it.
    minorStops?.catch(() => undefined);
    const known = await this.#standings({ tenant, machines, now_us: since_us });
    const standing = new Map(known.map((one) => [one.machine_id, one]));
    const until_us = Math.min(as_of_us, midnight(to_us - 1) + DAY_US);
    const stretch = { from_us: midnight(Math.max(from_us, EARLIEST_US)), until_us, to_us, since_us };
    // Where nothing is to be done by any margin, nobody need know it.
    const idle = !machines.some((machine) =>
      jobOf(machine, { ...stretch, margin_us: Number.POSITIVE_INFINITY }, standing.get(machine)),
    );
    const [inForce, starts] = idle
      ? [[], new Map<string, number>()]
      : await Promise.all([
          minorStops ?? ownPolicies(engine, { tenant, machines }),
          this.#runStarts(tenant, known),
        ]);
    const margin_us = Math.max(0, ...inForce.map(({ minor_stop_us }) => minor_stop_us));
    const jobs = machines.flatMap((machine) => {
      const job = jobOf(machine, { ...stretch, margin_us }, standing.get(machine), starts.get(machine));
      return job ? [job] : [];
    });
    if (jobs.length > 0)
      this.#version = Math.max(since_us, this.#version + 1, ...known.map((one) => one.version + 1));
    const untouched = new Set(machines.filter((machine) => !standing.get(machine)?.touched));
    const noted = new Map(machines.map((machine) => [machine, this.#notedOf(tenant, machine)]));
    const plan = { tenant, version: this.#version, since_us, as_of_us, margin_us, noted };
    return { plan, jobs, untouched };
  }

  async #runStarts(tenant: string, known: Standing[]): Promise<Map<string, number>> {
    const counting = known.filter(
      ({ touched, counters_us }) => touched && counters_us < Number.MAX_SAFE_INTEGER,
    );
    if (counting.length === 0) return new Map();
    const machines = counting.map(({ machine_id }) => machine_id);
    return runStarts(this.#engine, { tenant, machines, counters_us: counting.map((one) => one.counters_us) });
  }

  /**
   * Machines that somebody else rolled up since the plan are left out from then on, and added to `overtaken`: that note
   * holds, and what was written here has the older version.
   */
  async #rollTogether(
    { tenant, version, as_of_us, margin_us, noted }: Plan,
    jobs: readonly Job[],
    { turn, machine_days, background }: Pace,
    overtaken: Set<string>,
  ): Promise<void> {
    const first_us = Math.min(...jobs.map((job) => job.first_us));
    const last_us = Math.max(...jobs.map((job) => job.last_us));
    const step_us = Math.max(1, Math.floor(machine_days / jobs.length)) * DAY_US;
    const inTurn = (work: (own: readonly Job[]) => Promise<void>): Promise<void> =>
      turn(async () => {
        for (const { machine } of jobs)
          if (this.#notedOf(tenant, machine) !== noted.get(machine)) overtaken.add(machine);
        const own = jobs.filter(({ machine }) => !overtaken.has(machine));
        if (own.length > 0) await work(own);
      });
    for (let at_us = first_us; at_us < last_us; at_us += step_us) {
      const days = { first_us: at_us, last_us: Math.min(at_us + step_us, last_us) };
      await inTurn((own) =>
        roll(this.#engine, {
          tenant,
          version,
          margin_us,
          ...days,
          machines: own.map(({ machine }) => machine),
          // A clock that was set back does not undo what was rolled up before.
          as_of_us: Math.max(as_of_us, last_us),
          background,
        }),
      );
    }
    await inTurn((own) => this.#note(tenant, version, own));
  }

  #notedOf(tenant: string, machine: string): number {
    return this.#noted.get(`${tenant}/${machine}`) ?? 0;
  }

  async #note(tenant: string, version: number, jobs: readonly Job[]): Promise<void> {
    await rolled(this.#engine, {
      tenant,
      machines: jobs.map(({ machine }) => machine),
      version,
      since_us: jobs.map((job) => job.since_us),
      rolled_from_us: jobs.map((job) => job.rolled_from_us),
      rolled_to_us: jobs.map((job) => job.rolled_to_us),
    });
    for (const { machine, rolled_from_us: from_us, rolled_to_us: to_us } of jobs) {
      this.#noted.set(`${tenant}/${machine}`, version);
      this.#reach.set(`${tenant}/${machine}`, { from_us, to_us });
    }
  }
}

/** For whoever waits, and has the turn already. */
const AT_ONCE: Pace = { turn: (work) => work(), machine_days: MACHINE_DAYS, background: false };

/** One window that holds each of several, of one tenant. */
const allOf = (windows: readonly Window[]): Window => ({
  tenant: windows[0]?.tenant ?? "",
  machines: windows.flatMap(({ machines }) => machines),
  from_us: Math.min(...windows.map(({ from_us }) => from_us)),
  to_us: Math.max(...windows.map(({ to_us }) => to_us)),
  as_of_us: Math.max(...windows.map(({ as_of_us }) => as_of_us)),
});

/** @returns undefined where one of them brings none, and all are to be read */
function policiesOf(asked: readonly Asked[]): (() => Promise<MinorStops>) | undefined {
  const own = asked.flatMap(({ policies }) => policies ?? []);
  if (own.length < asked.length) return undefined;
  return async () => (await Promise.all(own.map((policies) => policies()))).flat();
}

type Stretch = { from_us: number; until_us: number; to_us: number; margin_us: number; since_us: number };

/** @returns undefined where the roll-up holds what is asked */
function jobOf(machine: string, asked: Stretch, known?: Standing, run_start_us?: number): Job | undefined {
  const { from_us, until_us, since_us } = asked;
  if (from_us >= until_us) return undefined;
  const whole = { machine, first_us: from_us, last_us: until_us, since_us };
  if (!known) return { ...whole, rolled_from_us: from_us, rolled_to_us: until_us };
  const { rolled_from_us, rolled_to_us, touched } = known;
  const touched_us = touched ? Math.min(known.touched_us, run_start_us ?? Number.MAX_SAFE_INTEGER) : Infinity;
  const early = from_us < rolled_from_us;
  const again = rolled_to_us < Math.min(asked.to_us, until_us) || touched_us - asked.margin_us < asked.to_us;
  if (!early && !again) return undefined;
  // The days before alone: what was touched after them still waits for its roll-up.
  if (!again)
    return {
      ...whole,
      last_us: rolled_from_us,
      rolled_from_us: from_us,
      rolled_to_us,
      since_us: known.since_us,
    };
  const again_us = Math.max(rolled_from_us, midnight(Math.min(rolled_to_us, touched_us) - asked.margin_us));
  const last_us = Math.max(rolled_to_us, until_us);
  return {
    ...whole,
    first_us: early ? from_us : again_us,
    last_us,
    rolled_from_us: Math.min(from_us, rolled_from_us),
    rolled_to_us: last_us,
  };
}

/** Jobs that begin and end on the same days are done together, as many as one statement takes. */
function* chunks(jobs: Job[]): Generator<Job[]> {
  const alike = Map.groupBy(jobs, ({ first_us, last_us }) => `${first_us} ${last_us}`);
  for (const together of alike.values()) {
    for (let i = 0; i < together.length; i += MACHINE_DAYS) yield together.slice(i, i + MACHINE_DAYS);
  }
}
