// Follows what a client has had of an agent, by listening on its line: so it is known what a fault took from it.
import { parseTimestamp_us } from "../../../time.ts";
import type { Tap } from "./line.ts";

/** Time of an agent that its client can never learn about, µs of the agent's clock. */
export type Lost = {
  from_us: number;
  to_us: number;
  /** Headers tell whole seconds only: up to here the client may know more than its last header says. */
  from_at_most_us: number;
  /** It has the observations, but could not learn what was in force when they began. */
  short: boolean;
};

/** Who is told of what a client has and has not. */
export type Hears = {
  lost(lost: Lost): void;
  /** Once, when it asks for the first page: it has the answer to its probe, and that was made at this time of the agent's. */
  heard?(at_us: number): void;
};

type Position = { instance_id: string; next: number; known_us: number; finer_us: number };
type Page = Position & { from: number; resumes: boolean; oldest_us: number };

const SECOND_US = 1_000_000;
/** Of what is no whole document yet, no more than this is kept. */
const MAX_BYTES = 16 * 1024 * 1024;
/** So long after it was given something a client has surely read it. */
const READING_MS = 500;
const MAX_OFFERED = 100;
const MAX_PENDING = 10;
const END = "</MTConnectStreams>";

/** One client's reading of one agent. What it is given twice, or resumes by sequence, it has not lost. */
export class Reader {
  readonly #hears: Hears;
  /** The agent's time in the last answer to a probe. */
  #probed_us = 0;
  #is_heard = false;
  /** Of first pages that it did not go on from so far: up to here it may know the agent all the same. */
  #doubtful_us = 0;
  #position: Position | undefined;
  /** The pages given of late, before them the last one it surely read: a reset takes what it had no time for. */
  #given: { position: Position; at_ms: number }[] = [];
  /** Pages on their way to the client, the newest last: it may have them or not. */
  #offered: { instance_id: string; next: number; finer_us: number }[] = [];
  /** Pages that left something out, the newest last: lost once the client asks for what follows on one, and not for another. */
  #pending: { page: Page; lost: Lost }[] = [];
  /** Where those at a page's start were not to be had, it was given the values in force at that time of the agent's; else 0. */
  #current_us = 0;

  constructor(hears: Hears) {
    this.#hears = hears;
  }

  /** The agent forgets everything; its machines are known again from `to_us` on. */
  forgotten(to_us: number): void {
    const nothing = { instance_id: "", next: 0, known_us: 0, finer_us: 0 };
    const doubtful_us = Math.max(this.#doubtful_us, ...this.#offered.map(({ finer_us }) => finer_us));
    const { from_at_most_us, ...lost } = this.#lostUntil(to_us) ?? lostAfter(nothing, to_us);
    this.#hears.lost({ ...lost, from_at_most_us: Math.max(from_at_most_us, doubtful_us) });
    this.#offered = [];
  }

  tap(): Tap {
    let request = "";
    let text = "";
    return {
      asked: (bytes) => {
        const asked = /^GET (\S+)/.exec(Buffer.from(bytes).toString("latin1"))?.[1];
        if (asked === undefined) return;
        request = asked;
        text = "";
        if (isSample(request)) this.#ask(Number(/[?&]from=(\d+)/.exec(request)?.[1]));
      },
      offered: (bytes) => {
        if (isSample(request)) this.#offer(Buffer.from(bytes).toString("latin1"));
      },
      answered: (bytes) => {
        if (!isSample(request) && !isProbe(request) && !isCurrent(request)) return;
        text += Buffer.from(bytes).toString("latin1");
        if (isProbe(request)) this.#probed_us = createdIn(text) || this.#probed_us;
        if (isCurrent(request)) this.#current_us = createdIn(text) || this.#current_us;
        if (!isSample(request)) return;
        for (let end = text.indexOf(END); end >= 0; end = text.indexOf(END)) {
          const page = pageOf(request, text.slice(0, end));
          text = text.slice(end + END.length);
          // A stream's first document begins where it was asked to; the others where the one before ended.
          if (page) request = request.replace(/([?&]from=)\d+/, `$1${page.next}`);
          if (page) this.#read(page);
        }
        if (text.length > MAX_BYTES) text = "";
      },
    };
  }

  /** Whoever asks for a page has had the answer to its probe; whoever asks for what follows on a page has had the page. */
  #ask(from: number): void {
    if (!this.#is_heard && this.#probed_us > 0) {
      this.#is_heard = true;
      this.#hears.heard?.(this.#probed_us);
    }
    const pending = this.#pending.findLast(({ page }) => page.next === from);
    if (!pending) return;
    const { page, lost } = pending;
    this.#hears.lost(lost);
    if (this.#current_us > 0) {
      const to_us = this.#current_us + SECOND_US;
      this.#hears.lost({ from_us: lost.to_us, from_at_most_us: to_us, to_us, short: true });
    }
    this.#position = page;
    this.#given = [{ position: page, at_ms: performance.now() }];
    this.#pending = [];
  }

  #offer(text: string): void {
    for (const [header] of text.matchAll(/<Header [^>]*nextSequence[^>]*>/g)) {
      const page = pageOf("", `${header}</Header>`);
      if (page) this.#offered = [...this.#offered.slice(-MAX_OFFERED), page];
    }
  }

  #lostUntil(to_us: number): Lost | undefined {
    this.#forgetRead();
    const [sure] = this.#given;
    if (!this.#position || !sure) return undefined;
    return { ...lostAfter(this.#position, to_us), from_us: sure.position.known_us };
  }

  #advance(page: Position): void {
    this.#position = page;
    this.#given.push({ position: page, at_ms: performance.now() });
    this.#forgetRead();
  }

  #forgetRead(): void {
    const read_ms = performance.now() - READING_MS;
    while (this.#given[1] && this.#given[1].at_ms <= read_ms) this.#given.shift();
  }

  #read(page: Page): void {
    const { instance_id } = page;
    // A client that goes on from a page has had it, whatever became of the line meanwhile.
    const reached = this.#offered.filter((one) => one.instance_id === instance_id && one.next < page.next);
    this.#offered = this.#offered.filter((one) => one.next > page.next);
    const had = page.resumes && reached.some(({ next }) => next >= page.from);
    const before = this.#position;
    if (!before && page.from > 1) {
      const lost = { from_us: 0, from_at_most_us: this.#doubtful_us, to_us: page.oldest_us, short: false };
      this.#doubtful_us = Math.max(this.#doubtful_us, page.finer_us);
      this.#leaveOut(page, lost);
      return;
    }
    if (!before || (before.instance_id === instance_id && (had || page.from <= before.next))) {
      if (!before || page.next >= before.next) this.#advance(page);
      return;
    }
    const lost = this.#lostUntil(page.oldest_us);
    if (lost) this.#leaveOut(page, lost);
  }

  #leaveOut(page: Page, lost: Lost): void {
    if (this.#pending.length === 0) this.#current_us = 0;
    this.#pending = [...this.#pending.slice(-MAX_PENDING), { page, lost }];
  }
}

const lostAfter = ({ known_us, finer_us }: Position, to_us: number): Lost => ({
  from_us: known_us,
  to_us: Math.max(to_us, known_us),
  from_at_most_us: finer_us,
  short: false,
});

/** What a document of `/sample` says of itself. */
function pageOf(request: string, text: string): Page | undefined {
  const header = /<Header [^>]*>/.exec(text)?.[0] ?? "";
  const attribute = (name: string): string => new RegExp(` ${name}="([^"]*)"`).exec(header)?.[1] ?? "";
  const instance_id = attribute("instanceId");
  const [first, last, next] = ["firstSequence", "lastSequence", "nextSequence"].map((name) =>
    Number(attribute(name)),
  ) as [number, number, number];
  if (instance_id === "" || !(next > 0)) return undefined;
  const told = times(text);
  const created_us = parseTimestamp_us(attribute("creationTime")) ?? 0;
  const latest_us = told.reduce((latest, { ts_us }) => Math.max(latest, ts_us), 0);
  // A page that ends before the ring does tells nothing of the time after its last observation.
  const known_us = next > last || latest_us === 0 ? created_us : latest_us;
  const asked = /[?&]from=(\d+)/.exec(request)?.[1];
  const oldest = told.reduce((a, b) => (b.sequence < a.sequence ? b : a), { sequence: Infinity, ts_us: 0 });
  return {
    instance_id,
    next,
    known_us,
    finer_us: next > last ? created_us + SECOND_US : known_us,
    from: asked === undefined ? first : Number(asked),
    resumes: asked !== undefined,
    oldest_us: oldest.ts_us || created_us,
  };
}

/** The values in force now, not those at some sequence. */
const isCurrent = (request: string): boolean => /\/current$/.test(request);

const isProbe = (request: string): boolean => /\/probe(\?|$)/.test(request);

/** The agent's time in a document's header, µs; 0 where it is not there, or not yet. */
const createdIn = (text: string): number =>
  parseTimestamp_us(/<Header [^>]*creationTime="([^"]*)"/.exec(text)?.[1] ?? "") ?? 0;

const isSample = (request: string): boolean => /\/sample(\?|$)/.test(request);

const times = (text: string): { sequence: number; ts_us: number }[] =>
  [...text.matchAll(/ timestamp="([^"]+)"[^>]*? sequence="(\d+)"/g)].map(([, ts = "", sequence]) => ({
    sequence: Number(sequence),
    ts_us: parseTimestamp_us(ts) ?? 0,
  }));
