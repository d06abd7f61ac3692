// Events that were set aside because analytics refused them: looked at, delivered again, or thrown away.
import type { Letters } from "../../../ingest/outbox/dead-letter-topic.ts";
import type { Pipeline } from "../../../ingest/pipeline.ts";
import { badInput } from "../../../ingest/problem.ts";
import type { Poison } from "../../../ingest/store/store.ts";
import { notFound } from "../../plugins/errors.ts";
import type { Machines } from "../machines/service.ts";
import { mendedEvent } from "./mend.ts";

type Deps = {
  /** Who keeps them: the embedded store, or the dead letters' topic. */
  letters: Letters;
  /** Takes an event that was mended. */
  pipeline: Pick<Pipeline, "commit">;
  machines: Pick<Machines, "byId">;
  /** Tells the relay that there is something to deliver. */
  wake: () => void;
};

/** So many are listed; what can be done to all of them goes on with the next ones by itself. */
export const LISTED_EVENTS = 100;

export class DeadLetters {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** The oldest {@link LISTED_EVENTS} of a tenant's. */
  list(tenant_id: string): Promise<Poison[]> {
    return this.#deps.letters.poison(tenant_id, LISTED_EVENTS);
  }

  /** The event as it came. @throws 404 where it is not set aside */
  async bytes(tenant_id: string, position: number): Promise<Uint8Array> {
    const bytes = await this.#deps.letters.poisonBytes(tenant_id, position);
    if (!bytes) throw unknown(position);
    return bytes;
  }

  /** @throws 404 where it is not set aside */
  async retry(tenant_id: string, position: number): Promise<void> {
    if (!(await this.#deps.letters.retryPoison(tenant_id, position))) throw unknown(position);
    this.#deps.wake();
  }

  /** @throws 404 where it is not set aside */
  async discard(tenant_id: string, position: number): Promise<void> {
    if (!(await this.#deps.letters.discardPoison(tenant_id, position))) throw unknown(position);
  }

  /**
   * Takes the event as somebody mended it in the place of the one that was refused. It keeps its id: the newest entry
   * is told by that, and a mended one is as old as it was.
   * @throws 404 where it is not set aside, BadInput naming what is still wrong
   */
  async mend(tenant_id: string, position: number, body: Uint8Array): Promise<void> {
    await this.bytes(tenant_id, position);
    const event = mendedEvent(body, Date.now());
    const { header } = event;
    if (header.tenant_id !== tenant_id) throw badInput("/tenantid", "not_own_tenant");
    const known = this.#deps.machines.byId(header.machine_id)?.tenant_id === tenant_id;
    if (!known && header.machine_id !== "") throw badInput("/subject", "not_own_machine");
    await this.#deps.pipeline.commit({ events: [event] });
    // Only now: cut off in between, both are there, and the same again changes no figure (invariant 2).
    await this.discard(tenant_id, position);
  }

  /** @returns how many */
  async retryAll(tenant_id: string): Promise<number> {
    const count = await this.#each(tenant_id, (position) =>
      this.#deps.letters.retryPoison(tenant_id, position),
    );
    this.#deps.wake();
    return count;
  }

  /** @returns how many */
  discardAll(tenant_id: string): Promise<number> {
    return this.#each(tenant_id, (position) => this.#deps.letters.discardPoison(tenant_id, position));
  }

  /** All that are set aside now; what is refused again meanwhile comes later in the log, and waits. */
  async #each(tenant_id: string, change: (position: number) => Promise<boolean>): Promise<number> {
    const { last } = await this.#deps.letters.logState();
    let count = 0;
    for (;;) {
      const listed = (await this.list(tenant_id)).filter(({ position }) => position <= last);
      if (listed.length === 0) return count;
      for (const { position } of listed) if (await change(position)) count += 1;
    }
  }
}

const unknown = (position: number) => notFound("event_set_aside", String(position));
