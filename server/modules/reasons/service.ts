// The tree of reason codes of each tenant: its last event in the log is the truth.
import type { ReasonsData } from "../../../ingest/event.ts";
import type { Pipeline } from "../../../ingest/pipeline.ts";
import { compileReasons, type ReasonsInput, reasonsInput } from "../../../ingest/reasons.ts";
import type { Store } from "../../../ingest/store/store.ts";

/** Later than any time: no figure changes by it but by the policies, which are applied when figures are read. */
const NEVER_US = Number.MAX_SAFE_INTEGER;

export class Reasons {
  readonly #store: Pick<Store, "entries">;
  readonly #pipeline: Pipeline;

  constructor(store: Pick<Store, "entries">, pipeline: Pipeline) {
    this.#store = store;
    this.#pipeline = pipeline;
  }

  async list(tenant_id: string): Promise<ReasonsInput> {
    const reasons = await this.#inForce(tenant_id);
    return reasons ? reasonsInput(reasons) : [];
  }

  /** @throws BadInput for a tree that is none */
  async set(tenant_id: string, input: ReasonsInput): Promise<ReasonsInput> {
    const compiled = compileReasons(input);
    const before = await this.#inForce(tenant_id);
    const rules = ({ rule_code, rule_condition, rule_native, rule_machines }: typeof compiled) =>
      JSON.stringify([rule_code, rule_condition, rule_native, rule_machines]);
    const same = before ? rules(before) === rules(compiled) : compiled.rule_code.length === 0;
    const reasons = { ...compiled, since_us: same ? NEVER_US : 0 };
    await this.#pipeline.record({ tenant_id, id: "", rules: [] }, "mtc.reasons.v1", { reasons });
    return reasonsInput(compiled);
  }

  async #inForce(tenant_id: string): Promise<ReasonsData["reasons"] | undefined> {
    const last = (await this.#store.entries(tenant_id, "", "mtc.reasons.v1")).at(-1);
    if (!last) return undefined;
    const event = JSON.parse(new TextDecoder().decode(last.bytes)) as { data: ReasonsData };
    return event.data.reasons;
  }
}
