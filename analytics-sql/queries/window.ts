// A stretch of time over some machines of one tenant, as every query of states and figures takes it.

/** A stretch of time over some machines of one tenant. */
export type Window = {
  tenant: string;
  machines: string[];
  from_us: number;
  to_us: number;
  /** Now, or until when the roll-up is asked: time after it is not part of any figure. */
  as_of_us: number;
};

/** Only the time and the parts of one shift, part, lot or order; "" is where there is none, without it all count. */
export type Filter = {
  /** The shift's name; "" is time outside of all shifts, or without a calendar. */
  shift?: string | undefined;
  part?: string | undefined;
  lot?: string | undefined;
  order?: string | undefined;
};

/** A window of which only some of the time and of the parts is asked for. */
export type Filtered = Window & { filter?: Filter };

/** Whether a filter leaves anything out. */
export const isFilter = (filter: Filter = {}): boolean =>
  Object.values(filter).some((value) => value !== undefined);

/** The filter's parameters: lists of one value, or of none where all count. */
export function filterParams({ shift, part, lot, order }: Filter = {}) {
  const only = (value: string | undefined): string[] => (value === undefined ? [] : [value]);
  return { of_shift: only(shift), of_part: only(part), of_lot: only(lot), of_order: only(order) };
}

/** The window's parameters: it ends now at the latest, and never before it starts. */
export const windowParams = ({ tenant, machines, from_us, to_us, as_of_us }: Window) => ({
  tenant,
  machines: [...new Set(machines)],
  from_us,
  end_us: Math.max(from_us, Math.min(to_us, as_of_us)),
});

/** ISO 8601 in UTC with six fractional digits. */
export function iso(ts_us: number): string {
  const ms = Math.floor(ts_us / 1_000);
  return new Date(ms).toISOString().replace("Z", `${String(ts_us - ms * 1_000).padStart(3, "0")}Z`);
}
