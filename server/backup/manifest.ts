// A backup's manifest: what is in it, byte for byte, and of which schema. It is written last, so what has none is no backup.
import { existsSync, readFileSync, statSync } from "node:fs";
import { type Static, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { sha256Of } from "../../analytics-sql/lake/sha256.ts";
import { SCHEMA_VERSION } from "../../analytics-sql/schema/schema.ts";
import { compare, NewerSchema, parseVersion, textOf } from "../../analytics-sql/schema/version.ts";

export const MANIFEST = "manifest.json";
/** Below the backup's folder: the store, and what else lies in the data directory. */
export const STORE = "mtc.sqlite";
export const FILES = "files";

const FORMAT = "mtc.backup.v1";
const Count = Type.Integer({ minimum: 0 });
/** Of files that are read and written by it, none leads out of a folder. */
const Below = Type.String({ pattern: "^(?!.*\\.\\.)[^/\\\\]+(/[^/\\\\]+)*$" });
const Name = Type.String({ pattern: "^\\w+$" });

const Manifest = Type.Object({
  format: Type.Literal(FORMAT),
  /** The program's. */
  version: Type.String(),
  schema_version: Type.String(),
  /** ISO 8601: when the log was copied. */
  taken: Type.String(),
  log: Type.Object({
    /** Up to this position all of the log is in the tables; after it, it waits for them. */
    delivered: Count,
    /** Whatever was purged was taken before this time, ms since 1970; 0: nothing ever was. */
    purged_before_ms: Count,
  }),
  tables: Type.Array(Type.Object({ name: Name, columns: Type.Array(Name), partition: Name, path: Below })),
  files: Type.Array(Type.Object({ path: Below, bytes: Count, sha256: Type.String() })),
});
export type Manifest = Static<typeof Manifest>;

/** @param paths of its files, below the folder */
export async function manifestOf(
  folder: string,
  paths: readonly string[],
  about: Omit<Manifest, "format" | "files">,
): Promise<Manifest> {
  const files: Manifest["files"] = [];
  for (const path of paths) {
    const file = `${folder}/${path}`;
    files.push({ path, bytes: statSync(file).size, sha256: await sha256Of(file) });
  }
  return { format: FORMAT, ...about, files };
}

/** @throws Error where the folder is no backup, an incomplete one, or one of another time; NewerSchema where this program is too old for it */
export function readManifest(folder: string): Manifest {
  const file = `${folder}/${MANIFEST}`;
  if (!existsSync(folder)) throw new Error(`${folder}: there is no such folder`);
  if (!existsSync(file))
    throw new Error(`${file} is not there: this is no backup, or one that was cut off while it was made`);
  const manifest = parsed(file);
  const found = parseVersion(manifest.schema_version);
  if (!found) throw new Error(`${file}: schema_version ${manifest.schema_version} is none`);
  // A restore takes what is known by name: an addition would be left behind.
  if (compare(found, SCHEMA_VERSION) > 0)
    throw new NewerSchema(
      `${folder} has the schema ${textOf(found)}, written by a newer release of MTC (${manifest.version}); this program knows ${textOf(SCHEMA_VERSION)}. ` +
        "Restore it by that release or a later one; nothing was changed",
    );
  // What a start takes over step by step is a data directory, not these files.
  if (found.major < SCHEMA_VERSION.major)
    throw new Error(
      `${folder} has the schema ${textOf(found)}, of an older release of MTC (${manifest.version}); this program knows ${textOf(SCHEMA_VERSION)}. ` +
        "Restore it by that release, and start this one on it; nothing was changed",
    );
  return manifest;
}

function parsed(file: string): Manifest {
  try {
    return Value.Decode(Manifest, JSON.parse(readFileSync(file, "utf8")));
  } catch (error) {
    throw new Error(`${file} is damaged: ${(error as Error).message}`);
  }
}

/** Looks at every byte. @throws Error naming the first file that is missing, or is not what was written */
export async function checkFiles(
  folder: string,
  { files, tables }: Manifest,
  analytics: string,
): Promise<void> {
  for (const { path, bytes, sha256 } of files) {
    const file = `${folder}/${path}`;
    if (!existsSync(file))
      throw new Error(`${file} is missing: the backup is not whole, and nothing was restored`);
    const { size } = statSync(file);
    if (size !== bytes)
      throw new Error(
        `${file} has ${size} bytes instead of ${bytes}: it was changed, and nothing was restored`,
      );
    if ((await sha256Of(file)) !== sha256)
      throw new Error(`${file} is not what was written (its SHA-256 differs): nothing was restored`);
  }
  const known = new Set(files.map(({ path }) => path));
  for (const path of [STORE, ...tables.map((table) => `${analytics}/${table.path}`)])
    if (!known.has(path)) throw new Error(`${folder}/${MANIFEST} is damaged: it does not list ${path}`);
}
