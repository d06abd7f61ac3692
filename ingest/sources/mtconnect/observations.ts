// From stream items to batches: one machine's mapping, conditions and floor of what it already has.
import { ColumnsBuilder } from "../../columns.ts";
import { MAX_AHEAD_US, MAX_WORD_LENGTH, MIN_TS_US } from "../../event.ts";
import type { Batch } from "../source.ts";
import { Conditions } from "./conditions.ts";
import type { Device, DeviceStream, StreamItem } from "./document.ts";
import { type MappedSignal, mapDataItems, mapUnknown } from "./mapping.ts";

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?$/;

/** Turns what an agent says of one device into batches of one machine. */
export class Translator {
  readonly machine_id: string;
  readonly device: Device;
  /** Observations without a sequence, or whose time is unreadable or none an event may carry: left out. */
  dropped_rows = 0;
  /** Everything below is durable already. */
  floor = 0;
  readonly #signals: Map<string, MappedSignal>;
  readonly #conditions = new Conditions();

  constructor(machine_id: string, device: Device) {
    this.machine_id = machine_id;
    this.device = device;
    this.#signals = mapDataItems(device.data_items);
  }

  get has_conditions(): boolean {
    return this.device.data_items.some(({ category }) => category === "CONDITION");
  }

  /** Forgets what conditions are in force: a `/current` document that lists all of them follows. */
  forgetConditions(): void {
    this.#conditions.clear();
  }

  /** Takes the conditions in force from a `/current` document, without giving anything out. */
  primeConditions(streams: DeviceStream[]): void {
    this.forgetConditions();
    for (const item of this.#items(streams)) if (item.level) this.#conditions.apply(item);
  }

  /**
   * The batches of a document's observations from the floor up; those below are followed, but not given out.
   * @param key names the batch for ever (invariant 2); a further batch of the same document gets a number
   */
  batches(streams: DeviceStream[], key: string): Batch[] {
    const made: Batch[] = [];
    const latest_us = Date.now() * 1_000 + MAX_AHEAD_US;
    let columns = new ColumnsBuilder();
    const flush = (): void => {
      const dedupe_key = made.length === 0 ? key : `${key}/${made.length}`;
      if (columns.rows > 0) made.push({ machine_id: this.machine_id, columns, dedupe_key });
      columns = new ColumnsBuilder();
    };
    for (const item of this.#items(streams)) {
      const { signal, numeric } = this.#signals.get(item.data_item_id) ?? mapUnknown(item);
      const value = item.level ? this.#conditions.apply(item) : toValue(item.text, numeric);
      if (item.sequence < this.floor) continue;
      if (!(item.ts_us >= MIN_TS_US && item.ts_us <= latest_us) || Number.isNaN(item.sequence)) {
        this.dropped_rows += 1;
        continue;
      }
      columns.add(signal, item.ts_us, item.sequence, value);
      if (columns.full) flush();
    }
    flush();
    return made;
  }

  #items(streams: DeviceStream[]): StreamItem[] {
    const { uuid, name } = this.device;
    return streams.find((d) => (d.uuid !== "" ? d.uuid === uuid : d.name === name))?.items ?? [];
  }
}

/** A number where the item carries numbers and the text is one; else the word, cut to what an event may hold. */
function toValue(text: string, numeric: boolean): number | string {
  if (numeric && NUMBER.test(text)) return Number(text);
  return text.length > MAX_WORD_LENGTH ? text.slice(0, MAX_WORD_LENGTH) : text;
}
