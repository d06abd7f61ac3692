// How many reports there may be at once, in all and of one key or user: some are worked on, some wait, the rest come again.
import type { Caller, Keys } from "../keys.ts";
import { requestGone } from "./deadline.ts";
import { Problem } from "./errors.ts";
import { inPieces, watched } from "./sending.ts";

/** The reports of several callers, and what each of them may have of it. */
export type Share = {
  /** Worked on at once; others wait for their turn. */
  working: number;
  working_of_one: number;
  /** Waiting, worked on or being sent; a further one is refused. */
  open: number;
  open_of_one: number;
  /** Long answers on their way, which hold their memory meanwhile; with so many a further report is refused. */
  sending: number;
  sending_of_one: number;
};

/** A dashboard of thirty panels asks for all of them at once, with one key; one key's long reports leave a place to others. */
const OF_KEYS: Share = {
  ...{ working: 3, working_of_one: 2 },
  ...{ open: 128, open_of_one: 32 },
  ...{ sending: 16, sending_of_one: 4 },
};
/** What pages ask for themselves, such as charts: all walls of a plant may be one user, and come back at once. */
const OF_SESSIONS: Share = {
  ...{ working: 3, working_of_one: 3 },
  ...{ open: 512, open_of_one: 256 },
  ...{ sending: 16, sending_of_one: 8 },
};

/** Up to this size an answer is sent in one piece and forgotten. */
const LONG_BYTES = 256 * 1024;
/** A reader that takes nothing for so long has left. */
const STILL_MS = 60_000;
const RETRY_AFTER_S = 2;

type State = "arriving" | "waiting" | "working" | "sending";
type Place = { owner: string; state: State; begin: () => void };
/** A report's place, from its turn on until it really ended. */
export type Admitted = { send(): void; leave(): void };

export class Admission {
  readonly #share: Share;
  /** In the order in which they came. */
  readonly #places = new Set<Place>();

  constructor(share: Share) {
    this.#share = share;
  }

  /**
   * Resolves when it is this report's turn.
   * @param owner the id of a key or a user
   * @param gone aborted when nobody waits for it any more
   * @param arrived resolves when the report may be worked on: until then it takes nobody's turn
   * @throws Problem 429 with Retry-After; what `gone` was aborted with, and `arrived` rejects with
   */
  async enter(owner: string, gone?: AbortSignal, arrived?: () => Promise<void>): Promise<Admitted> {
    this.#check(owner);
    const turn = Promise.withResolvers<void>();
    const place: Place = { owner, state: arrived ? "arriving" : "waiting", begin: turn.resolve };
    const leave = (): void => {
      if (this.#places.delete(place)) this.#next();
    };
    const giveUp = (): void => {
      if (place.state !== "waiting" && place.state !== "arriving") return;
      leave();
      turn.reject(gone?.reason);
    };
    gone?.throwIfAborted();
    gone?.addEventListener("abort", giveUp, { once: true });
    this.#places.add(place);
    if (arrived) {
      await Promise.race([arrived(), turn.promise]).catch((error: unknown) => {
        leave();
        throw error;
      });
      place.state = "waiting";
    }
    this.#next();
    await turn.promise;
    const send = (): void => {
      place.state = "sending";
      this.#next();
    };
    return { send, leave };
  }

  /** How many there are of a state, or of all; of one owner, or of all. */
  count(state?: State, owner?: string): number {
    let found = 0;
    for (const place of this.#places)
      if ((state ?? place.state) === place.state && (owner ?? place.owner) === place.owner) found += 1;
    return found;
  }

  #check(owner: string): void {
    const { open, open_of_one, sending, sending_of_one } = this.#share;
    if (this.count(undefined, owner) >= open_of_one) throw tooMany("own_reports", open_of_one);
    if (this.count() >= open) throw tooMany("all_reports", open);
    if (this.count("sending", owner) >= sending_of_one) throw tooMany("own_answers_unread", sending_of_one);
    if (this.count("sending") >= sending) throw tooMany("all_answers_unread", sending);
  }

  /** Whose turn it is: the first that waits, but for those whose owner has as many as one may. */
  #next(): void {
    const { working, working_of_one } = this.#share;
    for (const place of this.#places) {
      if (this.count("working") >= working) return;
      if (place.state !== "waiting" || this.count("working", place.owner) >= working_of_one) continue;
      place.state = "working";
      place.begin();
    }
  }
}

type Crowd = "own_reports" | "all_reports" | "own_answers_unread" | "all_answers_unread";

const tooMany = (code: Crowd, max: number): Problem =>
  new Problem(code, { max, wait_s: RETRY_AFTER_S }, { headers: { "retry-after": String(RETRY_AFTER_S) } });

type Asked = { request: Request; caller: Caller };

/** `exact` waits until what was written is there; `chart` does for keys, and is drawn at once on pages. */
export type ReportHooks = Pick<ReturnType<typeof reportAdmission>, "exact" | "chart">;

/**
 * Admission as routes take it; one for all reports.
 * @param keys its door is told of refusals
 * @param log answers that were broken off
 * @param arrived resolves when what a tenant had written is in analytics
 * @returns what a route has besides its scope; how many reports are `open` now
 */
export function reportAdmission(
  keys: Pick<Keys, "door">,
  log: (message: string) => void,
  arrived: (tenant_id: string) => Promise<void> = async () => {},
  still_ms = STILL_MS,
) {
  const of_keys = new Admission(OF_KEYS);
  const of_sessions = new Admission(OF_SESSIONS);
  const admitted = new WeakMap<Request, Admitted>();
  const sent = new WeakSet<Request>();
  const hooks = (waits: (caller: Caller) => boolean) => ({
    async beforeHandle({ request, caller }: Asked): Promise<void> {
      const admission = caller.session ? of_sessions : of_keys;
      const written = waits(caller) ? () => arrived(caller.tenant_id) : undefined;
      try {
        admitted.set(request, await admission.enter(caller.id, requestGone(), written));
      } catch (error) {
        if (error instanceof Problem && error.status === 429)
          keys.door.refused(request, error.message, caller.name);
        throw error;
      }
    },
    /** An answer that is long keeps its place until its reader has it. */
    afterHandle({ request, responseValue }: { request: Request; responseValue: unknown }): Response {
      const place = admitted.get(request);
      const rows = responseValue instanceof Response ? responseValue : undefined;
      const text = rows ? "" : JSON.stringify(responseValue);
      const long = rows?.body ?? (text.length > LONG_BYTES ? inPieces(Buffer.from(text)) : undefined);
      const headers = rows?.headers ?? { "content-type": "application/json" };
      if (!place || !long) return rows ?? new Response(text, { headers });
      place.send();
      sent.add(request);
      const ended = (well: boolean): void => {
        place.leave();
        if (!well)
          log(`broken off, nothing was taken for ${still_ms / 1_000} s: ${new URL(request.url).pathname}`);
      };
      return new Response(watched(long, still_ms, ended), { headers });
    },
    afterResponse({ request }: { request: Request }): void {
      if (!sent.has(request)) admitted.get(request)?.leave();
    },
  });
  return {
    exact: hooks(() => true),
    chart: hooks(({ session }) => !session),
    open: (): number => of_keys.count() + of_sessions.count(),
  };
}
