// How two generations of the reference agent differ on the wire.

export const DIALECTS = {
  "1.4": { version: "1.4.0.10", schema: "1.4", multipart: "multipart/x-mixed-replace", json: false },
  "2.x": { version: "2.0.0.12", schema: "2.0", multipart: "multipart/mixed", json: true },
} as const;
export type Dialect = keyof typeof DIALECTS;

/** 1.x answers every error with 200. */
export function errorStatus(dialect: Dialect, code: string): number {
  if (dialect === "1.4") return 200;
  return ["OUT_OF_RANGE", "NO_DEVICE", "ASSET_NOT_FOUND"].includes(code) ? 404 : 400;
}

/**
 * What a client accepts, as the agent reads the header: the first entry that ends with the name of a format. Agents
 * of 1.x know XML only.
 */
export function formatFor(dialect: Dialect, accept: string | null): "xml" | "json" {
  if (!DIALECTS[dialect].json) return "xml";
  for (const entry of (accept ?? "").split(",")) {
    const [type = ""] = entry.trim().split(";");
    if (type.endsWith("xml")) return "xml";
    if (type.endsWith("json")) return "json";
  }
  return "xml";
}
