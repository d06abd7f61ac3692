// The lake's layout, and the manifest that says which files a tenant's day consists of.
import type { LakeStorage } from "./storage.ts";

/** One machine's day. Of one content there is one name, so writing it again changes nothing. */
export type LakeFile = {
  machine: string;
  /** Path from the manifest's folder. */
  file: string;
  rows: number;
  bytes: number;
  min_ts: string;
  max_ts: string;
  /** Rows and the sum of their hashes: what the file holds. */
  fingerprint: string;
  /** The same of what the table held when the file was last compared with it: retention may have taken some. */
  source_fingerprint: string;
  sha256: string;
};

export type Manifest = {
  schema: "mtc.lake.observations.v1";
  tenant: string;
  /** UTC. */
  date: string;
  written_by: string;
  /** By machine. */
  files: LakeFile[];
};

const ROOT = "observations";

/** An id as a part of a path, as Hive and Spark escape it; `%3A` is a colon. */
const escaped = (id: string): string =>
  Buffer.from(id)
    .toString("latin1")
    .replace(
      /[^A-Za-z0-9._-]/g,
      (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
    );

export const tenantFolder = (tenant: string): string => `${ROOT}/tenant=${escaped(tenant)}`;
export const dayFolder = (tenant: string, date: string): string => `${tenantFolder(tenant)}/date=${date}`;
export const fileName = (machine: string, fingerprint: string): string =>
  `machine=${escaped(machine)}/part-${fingerprint}.parquet`;
/** Every file of a tenant; one that is just being replaced holds nothing that its successor does not. */
export const tenantFiles = (tenant: string): string =>
  `${tenantFolder(tenant)}/date=*/machine=*/part-*.parquet`;
const manifestName = (tenant: string, date: string): string => `${dayFolder(tenant, date)}/_manifest.json`;

/** The dates that a tenant has in the lake, in order. */
export async function lakeDates(storage: LakeStorage, tenant: string): Promise<string[]> {
  const folders = await storage.folders(tenantFolder(tenant));
  return folders.flatMap((folder) => /^date=(\d{4}-\d\d-\d\d)$/.exec(folder)?.[1] ?? []).sort();
}

/** @returns undefined where the day was never written @throws where there is one that cannot be read */
export async function readManifest(
  storage: LakeStorage,
  tenant: string,
  date: string,
): Promise<Manifest | undefined> {
  const name = manifestName(tenant, date);
  const text = await storage.read(name);
  if (text === undefined) return undefined;
  try {
    const manifest = JSON.parse(text) as Manifest;
    if (manifest.schema === "mtc.lake.observations.v1" && manifest.tenant === tenant) return manifest;
  } catch {
    // Not JSON: told below.
  }
  throw new Error(`${name} is not a manifest that this release can read`);
}

export const writeManifest = (storage: LakeStorage, manifest: Manifest): Promise<void> =>
  storage.write(manifestName(manifest.tenant, manifest.date), `${JSON.stringify(manifest, null, 1)}\n`);
