// Versions of the schema (SPEC 14.6): which of them a program may work with.

/** An addition raises `minor`: programs of the same `major` go on. What they could not work with raises `major`. */
export type Version = { major: number; minor: number };

export const textOf = ({ major, minor }: Version): string => `${major}.${minor}`;

/** @returns undefined where it is none */
export function parseVersion(text: string): Version | undefined {
  const [, major, minor] = /^(\d{1,6})\.(\d{1,6})$/.exec(text.trim()) ?? [];
  return major === undefined ? undefined : { major: Number(major), minor: Number(minor) };
}

/** Below 0 where `a` is older, above it where it is newer. */
export const compare = (a: Version, b: Version): number => a.major - b.major || a.minor - b.minor;

/** What is there was written by a newer release, and this one cannot work with it. */
export class NewerSchema extends Error {
  override readonly name = "NewerSchema";
}

/**
 * @param place where it was found, in words
 * @param known the version of this program
 * @throws NewerSchema where the program is too old for it
 */
export function refuseNewer(place: string, found: Version, known: Version): void {
  if (found.major <= known.major) return;
  throw new NewerSchema(
    `${place} has the schema ${textOf(found)}, written by a newer release of MTC; this program knows ${textOf(known)}. ` +
      "Start that release or a later one; nothing was changed",
  );
}
