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
