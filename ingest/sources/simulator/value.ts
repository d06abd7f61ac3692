// The values an adapter hands to the agent, and how the agent keeps them.
import type { Entries, Level, Stored } from "./buffer.ts";
import { attribute, escapeXml } from "./documents.ts";
import type { DataItemModel } from "./model.ts";

/** A condition's observation. */
export type ConditionValue = {
  level: Level;
  native_code?: string;
  native_severity?: string;
  qualifier?: string;
  text?: string;
};

/** The value of a MESSAGE: text with the machine's own code. */
export type MessageValue = { native_code: string; text: string };

/** What a DATA_SET or TABLE comes to say; null removes an entry, `reset` (DAY, ACTION_COMPLETE …) all that went before. */
export type SetValue = { entries: Entries; reset?: string };

/** A TIME_SERIES that ends at the observation's time. */
export type SeriesValue = { samples: number[]; sample_rate_hz: number };

/** A counter or sum that started again, and why: DAY, SHIFT, LIFE … */
export type ResetValue = { value: string | number; reset: string };

/** ASSET_CHANGED and ASSET_REMOVED: which. */
export type AssetValue = { asset_id: string; asset_type: string };

export type Value =
  | string
  | number
  | ConditionValue
  | MessageValue
  | SetValue
  | SeriesValue
  | ResetValue
  | AssetValue;

/** @throws where a condition's word is no level */
export function storedValue(
  item: DataItemModel,
  value: Value,
): Omit<Stored, "item" | "sequence" | "timestamp"> {
  const representation = item.attributes?.representation;
  if (typeof value !== "object") {
    if (item.category === "CONDITION") return { level: levelOf(String(value)), text: "" };
    const text = escapeXml(String(value), false);
    if (representation === "TIME_SERIES") return { text, attributes: ' sampleCount="0"' };
    return isSet(item) ? { text, entries: {} } : { text };
  }
  if ("entries" in value)
    return { text: "", entries: value.entries, attributes: attribute("resetTriggered", value.reset) };
  if ("samples" in value) {
    const { samples, sample_rate_hz } = value;
    const attributes = ` sampleCount="${samples.length}" sampleRate="${sample_rate_hz}"`;
    return { text: samples.join(" "), attributes };
  }
  if ("reset" in value)
    return {
      text: escapeXml(String(value.value), false),
      attributes: attribute("resetTriggered", value.reset),
    };
  if ("asset_id" in value) return { text: escapeXml(value.asset_id, false), asset_type: value.asset_type };
  const native_code = value.native_code ?? "";
  const text = escapeXml(value.text ?? "", false);
  if (!("level" in value)) return { text, attributes: attribute("nativeCode", native_code) };
  const attributes =
    attribute("nativeCode", native_code) +
    attribute("nativeSeverity", value.native_severity) +
    attribute("qualifier", value.qualifier);
  return { level: value.level, native_code, text, attributes };
}

export const isSet = ({ attributes }: DataItemModel): boolean =>
  attributes?.representation === "DATA_SET" || attributes?.representation === "TABLE";

/** The level by its word, in any case: adapters write NORMAL and Normal. */
export function levelOf(word: string): Level {
  const level = (["Normal", "Warning", "Fault", "Unavailable"] as const).find(
    (l) => l.toLowerCase() === word.toLowerCase(),
  );
  if (!level) throw new Error(`'${word}' is no condition level`);
  return level;
}
