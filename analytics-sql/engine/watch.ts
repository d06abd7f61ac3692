// Watches analysts' questions: what the engine lets pass its bounds is cancelled, and what cannot be cancelled ends the engine.
import { EngineError } from "./engine.ts";

/** So often memory and time are looked at. */
const LOOK_MS = 100;
/** A query that was cancelled may go on for this long. */
const GRACE_MS = 2_000;

/** The process in which the engine is, where it is our own. */
export type Watched = { resident_bytes(): number; end(why: string): void };

export type Bounds = { execution_s: number; memory_bytes: number };

type Question = {
  since_ms: number;
  /** What the process held when it began. */
  held_bytes: number;
  query_id: string;
  over: { error: EngineError; at_ms: number } | undefined;
  ended: boolean;
};

/** A question was over its bounds; `ended`: the engine had to be ended for it. */
export class OverBounds extends EngineError {
  readonly ended: boolean;
  constructor(error: EngineError, ended: boolean) {
    super(error.message, error.code, false, error);
    this.ended = ended;
  }
}

const over = (code: number, name: string, what: string): EngineError =>
  new EngineError(`Code: ${code}. DB::Exception: ${what}. (${name})`, code, false, null);

export class Watch {
  readonly #bounds: Bounds;
  readonly #kill: (query_id: string) => Promise<void>;
  readonly #process: Watched | undefined;
  readonly #questions = new Set<Question>();
  #looking: Timer | undefined;

  /**
   * @param kill cancels a query, on a connection of its own
   * @param process without it a question that goes on is no affair of ours
   */
  constructor(bounds: Bounds, kill: (query_id: string) => Promise<void>, process?: Watched) {
    this.#bounds = bounds;
    this.#kill = kill;
    this.#process = process;
  }

  /**
   * Runs a question, of one or more queries.
   * @param work is given what each of its queries takes its id from, before it begins
   * @param left whoever asked is gone: the question is cancelled
   * @throws OverBounds, and what the work throws
   */
  async run<T>(work: (next: () => string) => Promise<T>, left?: AbortSignal): Promise<T> {
    const question: Question = {
      since_ms: Date.now(),
      held_bytes: this.#process?.resident_bytes() ?? 0,
      query_id: "",
      over: undefined,
      ended: false,
    };
    const leave = (): void =>
      this.#cancel(question, over(394, "QUERY_WAS_CANCELLED", "whoever asked is gone"));
    this.#questions.add(question);
    this.#looking ??= setInterval(() => this.#look(), LOOK_MS);
    left?.addEventListener("abort", leave);
    if (left?.aborted) leave();
    try {
      return await work(() => {
        if (question.over) throw question.over.error;
        question.query_id = crypto.randomUUID();
        return question.query_id;
      });
    } catch (error) {
      throw question.over ? new OverBounds(question.over.error, question.ended) : error;
    } finally {
      left?.removeEventListener("abort", leave);
      this.#questions.delete(question);
      if (this.#questions.size === 0) {
        clearInterval(this.#looking);
        this.#looking = undefined;
      }
    }
  }

  #look(): void {
    const now_ms = Date.now();
    const held_bytes = this.#process?.resident_bytes() ?? 0;
    for (const question of this.#questions) {
      const error = question.over?.error ?? this.#overBounds(question, now_ms, held_bytes);
      if (!error) continue;
      if (!question.over || question.over.error.code === CANCELLED)
        this.#cancel(question, this.#overBounds(question, now_ms, held_bytes) ?? error);
      else if (now_ms - question.over.at_ms > GRACE_MS && !question.ended) this.#end(error);
    }
  }

  #overBounds(
    { since_ms, held_bytes: before_bytes }: Question,
    now_ms: number,
    held_bytes: number,
  ): EngineError | undefined {
    const { execution_s, memory_bytes } = this.#bounds;
    if (held_bytes - before_bytes > memory_bytes)
      return over(241, "MEMORY_LIMIT_EXCEEDED", `the query took more than ${memory_bytes} bytes of memory`);
    if (now_ms - since_ms > 1_000 * execution_s)
      return over(159, "TIMEOUT_EXCEEDED", `the query took longer than ${execution_s} s`);
    return undefined;
  }

  #cancel(question: Question, error: EngineError): void {
    if (question.over?.error.code === error.code) return;
    question.over = { error, at_ms: Date.now() };
    // A query that does not heed it is ended with the engine; one that cannot be told is the same.
    if (question.query_id !== "") this.#kill(question.query_id).catch(() => {});
  }

  /** All that were over their bounds and went on are to blame; what else runs is asked again. */
  #end(error: EngineError): void {
    if (!this.#process) return;
    const now_ms = Date.now();
    for (const question of this.#questions)
      if (question.over && question.over.error.code !== CANCELLED && now_ms - question.over.at_ms > GRACE_MS)
        question.ended = true;
    this.#process.end(`a query went on over its bounds: ${error.message}`);
  }
}

/** QUERY_WAS_CANCELLED: whoever asked is gone, and the query is within its bounds still. */
const CANCELLED = 394;
