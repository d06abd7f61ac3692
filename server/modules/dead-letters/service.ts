// Events that were set aside because analytics refused them: looked at, delivered again, or thrown away.
import type { Poison, Store } from "../../../ingest/store/store.ts";
import { notFound } from "../../plugins/errors.ts";

type Deps = {
  store: Pick<Store, "poison" | "poisonBytes" | "retryPoison" | "discardPoison" | "logState">;
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
    return this.#deps.store.poison(tenant_id, LISTED_EVENTS);
  }

  /** The event as it came. @throws 404 where it is not set aside */
  async bytes(tenant_id: string, position: number): Promise<Uint8Array> {
    const bytes = await this.#deps.store.poisonBytes(tenant_id, position);
    if (!bytes) throw unknown(position);
    return bytes;
  }

  /** @throws 404 where it is not set aside */
  async retry(tenant_id: string, position: number): Promise<void> {
    if (!(await this.#deps.store.retryPoison(tenant_id, position))) throw unknown(position);
    this.#deps.wake();
  }

  /** @throws 404 where it is not set aside */
  async discard(tenant_id: string, position: number): Promise<void> {
    if (!(await this.#deps.store.discardPoison(tenant_id, position))) throw unknown(position);
  }

  /** @returns how many */
  async retryAll(tenant_id: string): Promise<number> {
    const count = await this.#each(tenant_id, (position) =>
      this.#deps.store.retryPoison(tenant_id, position),
    );
    this.#deps.wake();
    return count;
  }

  /** @returns how many */
  discardAll(tenant_id: string): Promise<number> {
    return this.#each(tenant_id, (position) => this.#deps.store.discardPoison(tenant_id, position));
  }

  /** All that are set aside now; what is refused again meanwhile comes later in the log, and waits. */
  async #each(tenant_id: string, change: (position: number) => Promise<boolean>): Promise<number> {
    const { last } = await this.#deps.store.logState();
    let count = 0;
    for (;;) {
      const listed = (await this.list(tenant_id)).filter(({ position }) => position <= last);
      if (listed.length === 0) return count;
      for (const { position } of listed) if (await change(position)) count += 1;
    }
  }
}

const unknown = (position: number) => notFound(`event ${position} among those set aside`);
