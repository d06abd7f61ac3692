// The values an adapter hands to the agent, and how the agent keeps them.
import type { Level, Stored } from "./buffer.ts";
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

export type Value = string | number | ConditionValue | MessageValue;

/** @throws where a condition's word is no level */
export function storedValue(
  item: DataItemModel,
  value: Value,
): Omit<Stored, "item" | "sequence" | "timestamp"> {
  if (typeof value !== "object") {
    if (item.category === "CONDITION") return { level: levelOf(String(value)), text: "" };
    return { text: escapeXml(String(value), false) };
  }
  const native_code = value.native_code ?? "";
  const text = escapeXml(value.text ?? "", false);
  if (!("level" in value)) return { text, attributes: attribute("nativeCode", native_code) };
  const attributes =
    attribute("nativeCode", native_code) +
    attribute("nativeSeverity", value.native_severity) +
    attribute("qualifier", value.qualifier);
  return { level: value.level, native_code, text, attributes };
}

/** The level by its word, in any case: adapters write NORMAL and Normal. */
export function levelOf(word: string): Level {
  const level = (["Normal", "Warning", "Fault", "Unavailable"] as const).find(
    (l) => l.toLowerCase() === word.toLowerCase(),
  );
  if (!level) throw new Error(`'${word}' is no condition level`);
  return level;
}
