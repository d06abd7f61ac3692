// The schema version of the data directory and of MongoDB (SPEC 14.6): looked at before anything in it is opened, raised before
// anything changes.
import { existsSync, readFileSync } from "node:fs";
import { MIGRATIONS, SCHEMA_VERSION } from "../analytics-sql/schema/schema.ts";
import { compare, parseVersion, refuseNewer, textOf, type Version } from "../analytics-sql/schema/version.ts";
import { writeWhole } from "./whole-file.ts";

const NAME = "schema_version";

/** The file says nothing that this program understands. */
export class VersionUnknown extends Error {
  override readonly name = "VersionUnknown";
}

/** @throws NewerSchema where a newer release wrote it and this one cannot work with it; VersionUnknown */
function versionOf(place: string, at: string, text: string | null | undefined): Version | undefined {
  if (text === null || text === undefined) return undefined;
  const found = parseVersion(text);
  if (!found)
    throw new VersionUnknown(
      `${at}: must be a schema's version, like ${textOf(SCHEMA_VERSION)}; nothing was changed`,
    );
  refuseNewer(place, found, SCHEMA_VERSION);
  return found;
}

/** Is it an older one than this program's, or none? */
const isToBeNoted = (found: Version | undefined): boolean => !found || compare(found, SCHEMA_VERSION) < 0;

/** @throws as {@link versionOf} */
export function refuseNewerDir(data_dir: string): Version | undefined {
  const file = `${data_dir}/${NAME}`;
  return versionOf(data_dir, file, existsSync(file) ? readFileSync(file, "utf8") : null);
}

/**
 * What a MongoDB is to be noted as, whose version was found to be this, or none.
 * @returns undefined where it stays what it is @throws as {@link versionOf}
 */
export const storeVersion = (found: string | undefined): string | undefined =>
  isToBeNoted(versionOf("the MongoDB database", "the MongoDB database's schema_version", found))
    ? textOf(SCHEMA_VERSION)
    : undefined;

/**
 * Notes this program's version where the directory is of an older one, or of a release that noted none.
 * @throws as {@link refuseNewerDir}, and Error where a one-way step cannot be noted before it is taken
 */
export function keepVersion(data_dir: string, log: (message: string) => void): void {
  const found = refuseNewerDir(data_dir);
  if (!isToBeNoted(found)) return;
  try {
    writeWhole(`${data_dir}/${NAME}`, `${textOf(SCHEMA_VERSION)}\n`);
  } catch (error) {
    const { message } = error as Error;
    if ((found ?? MIGRATIONS[0].version).major !== SCHEMA_VERSION.major)
      throw new VersionUnknown(`${data_dir}/${NAME}: ${message}; the upgrade waits, and nothing was changed`);
    log(`schema version: not noted, until the next start: ${message}`);
  }
}
