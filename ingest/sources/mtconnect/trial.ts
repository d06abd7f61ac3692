// An agent is tried: its devices, what their data items become here, and what they say just now.
import { CANONICAL_SIGNALS } from "../../signals.ts";
import { TRIAL_MS, trialError } from "../trial.ts";
import { AgentClient } from "./client.ts";
import { type DataItem, type Device, itemsOf, type StreamsDocument } from "./document.ts";
import { streamItems } from "./items.ts";
import { mapDataItems } from "./mapping.ts";

export type TriedSignal = {
  /** What MTC calls it. */
  signal: string;
  canonical: boolean;
  /** The data item's name, or its id. */
  data_item: string;
  /** `PART_COUNT`, `PATH_FEEDRATE:ACTUAL` … */
  type: string;
  /** As it is now; null where the agent told none. */
  value: string | number | null;
};

/** What OEE needs, and a device may lack: a word for running, a counter of parts. */
export type Lack = "execution" | "parts";

export type TriedDevice = {
  /** As a machine's source names it: the uuid, or the name where there is none. */
  device: string;
  uuid: string;
  name: string;
  manufacturer: string;
  model: string;
  data_items: number;
  /** Canonical signals first, in their order; at most {@link MAX_SIGNALS}. */
  signals: TriedSignal[];
  lacks: Lack[];
};

/** Devices and signals that are shown (invariant 7). */
const MAX_DEVICES = 50;
const MAX_SIGNALS = 300;
const MAX_VALUE_LENGTH = 100;

/**
 * Asks an agent for its devices and their current values.
 * @returns no devices where the agent has none
 * @throws TrialError
 */
export async function tryAgent(url: string): Promise<TriedDevice[]> {
  const clock = AbortSignal.timeout(TRIAL_MS);
  const client = new AgentClient(url, clock, { silence_ms: TRIAL_MS, document_ms: TRIAL_MS });
  try {
    const { devices } = await client.probe();
    // A device is worth showing although it tells no values now.
    const current = await client.current().catch(() => undefined);
    return devices.slice(0, MAX_DEVICES).map((device) => tried(device, current));
  } catch (error) {
    throw trialError(error, clock.aborted);
  }
}

function tried(device: Device, current: StreamsDocument | undefined): TriedDevice {
  const { uuid, name, manufacturer, model, data_items } = device;
  const values = valuesOf(device, current);
  const mapped = mapDataItems(data_items);
  const signals = data_items.flatMap((item): TriedSignal[] => {
    const signal = mapped.get(item.id)?.signal;
    if (signal === undefined) return [];
    const canonical = rank(signal) < CANONICAL_SIGNALS.length;
    const value = values.get(item.id) ?? null;
    return [{ signal, canonical, data_item: item.name || item.id, type: typeOf(item), value }];
  });
  const known = new Set(signals.map(({ signal }) => signal));
  const counts = [...known].some((signal) => /^part_(count|pulse|event)/.test(signal));
  return {
    device: uuid || name,
    uuid,
    name,
    manufacturer,
    model,
    data_items: data_items.length,
    signals: signals.sort((a, b) => rank(a.signal) - rank(b.signal)).slice(0, MAX_SIGNALS),
    lacks: [...(known.has("execution") ? [] : ["execution" as const]), ...(counts ? [] : ["parts" as const])],
  };
}

const RANKS = new Map<string, number>(CANONICAL_SIGNALS.map((signal, i) => [signal, i]));
const rank = (signal: string): number => RANKS.get(signal) ?? CANONICAL_SIGNALS.length;

const typeOf = ({ type, sub_type }: DataItem): string => (sub_type ? `${type}:${sub_type}` : type);

/** The latest value of each data item; of a condition its level. */
function valuesOf(device: Device, current: StreamsDocument | undefined): Map<string, string | number> {
  const values = new Map<string, string | number>();
  const items = current && itemsOf(device, current.devices);
  if (!items) return values;
  for (const { data_item_id, value, condition } of streamItems(items)) {
    const told = condition?.level ?? value;
    if (told !== undefined)
      values.set(data_item_id, typeof told === "string" ? told.slice(0, MAX_VALUE_LENGTH) : told);
  }
  return values;
}
