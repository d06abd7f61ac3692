// SHDR, what adapters send to agents and what recordings hold: lines of `ts|key|value|key|value…`.
import type { SimulatedAgent } from "./agent.ts";
import { type DataItemModel, type DeviceModel, dataItems } from "./model.ts";
import { type ConditionValue, levelOf, type Value } from "./value.ts";

export type ShdrObservation = { data_item_id: string; timestamp: string; value: Value };

/** What a line held. Torn: no whole timestamp, or a key whose fields are missing. */
export type ShdrLine =
  | { kind: "observations"; observations: ShdrObservation[]; unknown: string[]; torn: boolean }
  | { kind: "command" | "torn" | "empty" };

/** A whole timestamp, with or without Z or offset, and any number of fractional digits. */
const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?$/;

/**
 * A parser for one device's lines. Keys are data items' names, sources or ids, with or without `device:` in
 * front. A condition takes five fields (level, code, severity, qualifier, text), a message two (code, text).
 */
export function shdrParser(device: DeviceModel): (line: string) => ShdrLine {
  const items = itemsByKey(device);
  return (line) => {
    const text = line.replace(/\r?\n?$/, "");
    if (text === "") return { kind: "empty" };
    if (text.startsWith("*")) return { kind: "command" };
    const [timestamp = "", ...fields] = text.split("|");
    if (!TIMESTAMP.test(timestamp) || fields.length < 2) return { kind: "torn" };
    return readFields(items, timestamp, fields);
  };
}

function itemsByKey(device: DeviceModel): Map<string, DataItemModel> {
  const items = new Map<string, DataItemModel>();
  const all = [...dataItems(device)].map(({ item }) => item);
  for (const key of ["id", "source", "name"] as const)
    for (const item of all) {
      const value = item[key];
      if (value === undefined) continue;
      items.set(value, item);
      items.set(`${device.name}:${value}`, item);
    }
  return items;
}

function readFields(items: Map<string, DataItemModel>, timestamp: string, fields: string[]): ShdrLine {
  const observations: ShdrObservation[] = [];
  const unknown: string[] = [];
  for (let i = 0; i < fields.length; ) {
    const key = fields[i] ?? "";
    const item = items.get(key);
    const width = item?.category === "CONDITION" ? 5 : item?.type === "MESSAGE" ? 2 : 1;
    const own = fields.slice(i + 1, i + 1 + width);
    if (own.length < width) return { kind: "observations", observations, unknown, torn: true };
    if (item) observations.push({ data_item_id: item.id, timestamp, value: valueFrom(item, own) });
    else unknown.push(key);
    i += 1 + width;
  }
  return { kind: "observations", observations, unknown, torn: false };
}

function valueFrom(item: DataItemModel, fields: string[]): Value {
  const [first = "", second = "", severity = "", qualifier = "", text = ""] = fields;
  if (item.type === "MESSAGE") return { native_code: first, text: second };
  if (item.category !== "CONDITION") return first;
  const condition: ConditionValue = { level: levelOf(first) };
  if (second) condition.native_code = second;
  if (severity) condition.native_severity = severity;
  if (qualifier) condition.qualifier = qualifier;
  if (text) condition.text = text;
  return condition;
}

export type ReplayCount = { observations: number; torn: number; unknown: number };

/**
 * Feeds recorded lines to an agent under their recorded timestamps.
 * @param speed how many times faster than recorded; without it everything at once
 * @param signal ends the replay early
 */
export async function replay(
  lines: Iterable<string>,
  agent: SimulatedAgent,
  device: DeviceModel,
  { speed, signal }: { speed?: number; signal?: AbortSignal } = {},
): Promise<ReplayCount> {
  const parse = shdrParser(device);
  const count: ReplayCount = { observations: 0, torn: 0, unknown: 0 };
  const begun_ms = performance.now();
  let first_ms: number | undefined;
  for (const line of lines) {
    if (signal?.aborted) break;
    const parsed = parse(line);
    if (parsed.kind === "torn") count.torn++;
    if (parsed.kind !== "observations") continue;
    if (parsed.torn) count.torn++;
    count.unknown += parsed.unknown.length;
    const [first] = parsed.observations;
    if (speed !== undefined && first) {
      const at_ms = Date.parse(first.timestamp);
      first_ms ??= at_ms;
      const wait_ms = begun_ms + (at_ms - first_ms) / speed - performance.now();
      if (wait_ms > 0) await Bun.sleep(wait_ms);
    }
    for (const { data_item_id, timestamp, value } of parsed.observations)
      agent.add(device.uuid, data_item_id, timestamp, value);
    count.observations += parsed.observations.length;
  }
  return count;
}
