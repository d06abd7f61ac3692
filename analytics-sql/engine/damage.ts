// What a full disk or a power cut did to the embedded engine's definitions: found, set aside, and written anew.
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";

/** Beside chDB's directory: what was damaged, by the time at which it was found. */
export const asideOf = (path: string): string => `${path}.damaged`;

/** Said by the engine where a definition cannot be read, or what it defines; it names the definition's file. */
const CANNOT_PARSE = /(?:Cannot parse definition from metadata file |\(in file )(\S+?\.sql)\b/g;
const CANNOT_ATTACH = /Cannot attach table \S+ from metadata file (\S+?\.sql)\b/g;
/** ClickHouse's codes for files that are torn, empty, or not there. */
const DAMAGE = /Code: (?:27|32|33|40|62|107|226|228|231|246|271)\b/;
const BEGINS = /^\s*(?:ATTACH|CREATE) /;
const UUID = /UUID '[0-9a-f-]{36}'/;

/** The names of what was set aside, oldest first. */
export function setAside(path: string): string[] {
  const folder = asideOf(path);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort()
    .flatMap((at) => readdirSync(join(folder, at)).map((name) => `${at}/${name}`));
}

/** Where definitions are: of databases, of what is in each of them, and of functions. */
function folders(path: string): string[] {
  const metadata = join(path, "metadata");
  const databases = existsSync(metadata)
    ? readdirSync(metadata)
        .filter((name) => !name.endsWith(".sql"))
        .map((name) => join(metadata, name))
    : [];
  return [metadata, ...databases, join(path, "user_defined")].filter((folder) => existsSync(folder));
}

/**
 * Files of definitions that are none, and of those whose rows cannot be read; `whole`: nobody can tell what is damaged, or
 * where it has its rows.
 */
export type Damage = { definitions: string[]; tables: string[]; whole: boolean };

/** @param said what the engine said when it did not start */
export function damageIn(path: string, said: string): Damage {
  const named = (by: RegExp): string[] => [...said.matchAll(by)].map(([, file = ""]) => resolve(path, file));
  const [torn, unreadable] = [named(CANNOT_PARSE), named(CANNOT_ATTACH)];
  const all = folders(path).flatMap((folder) =>
    readdirSync(folder)
      .map((name) => join(folder, name))
      .filter((file) => file.endsWith(".sql") && statSync(file).isFile()),
  );
  const definitions = all.filter(
    (file) => torn.includes(realpathSync(file)) || !BEGINS.test(readFileSync(file, "utf8")),
  );
  const tables = all.filter((file) => unreadable.includes(realpathSync(file)));
  const is_lost = definitions.some((file) => {
    const { is_in, link } = placeOf(path, file);
    return is_in === "metadata" && !existsSync(link);
  });
  return {
    definitions,
    tables,
    whole: is_lost || (DAMAGE.test(said) && [...definitions, ...tables].length === 0),
  };
}

/**
 * Sets tables aside with their rows, which are made anew of the log.
 * @returns their names
 */
export function setAsideTables(path: string, files: readonly string[], now_ms: number): string[] {
  const folder = folderFor(path, now_ms);
  return files.map((file) => {
    const { name, link } = placeOf(path, file);
    if (existsSync(link)) renameSync(realpathSync(link), join(folder, `${name}.rows`));
    rmSync(link, { force: true });
    renameSync(file, join(folder, name));
    return name;
  });
}

/**
 * Sets definitions aside, and writes those anew that a sound engine has as well. What has rows keeps them: its place on the disk is
 * found by the link that leads there. What a sound engine does not have is made again by whoever needs it.
 * @param sound another engine's directory, with the schema and nothing in it
 * @returns their names
 */
export function mend(path: string, files: readonly string[], sound: string, now_ms: number): string[] {
  const folder = folderFor(path, now_ms);
  return files.map((file) => {
    const { name, is_in, link } = placeOf(path, file);
    const id = leadsTo(link);
    const [aside, model] = [join(folder, name), join(sound, is_in, basename(file))];
    if (existsSync(model)) {
      const own = readFileSync(model, "utf8").replace(UUID, `UUID '${id ?? crypto.randomUUID()}'`);
      // One that is gone would be made anew, without its rows: it is replaced at once.
      copyFileSync(file, aside);
      writeFileSync(`${aside}.mended`, own, { mode: 0o600, flush: true });
      renameSync(`${aside}.mended`, file);
    } else renameSync(file, aside);
    return name;
  });
}

/** Sets the whole projection aside: it is made anew of the log. @returns where it is */
export function setAsideWhole(path: string, now_ms: number): string {
  const to = join(folderFor(path, now_ms), basename(path));
  renameSync(path, to);
  return to;
}

function folderFor(path: string, now_ms: number): string {
  const at = new Date(now_ms).toISOString().replaceAll(/[:.]/g, "-");
  const folder = join(asideOf(path), at);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}

/** What a definition is of, where in the directory it is, and the link to what it has on the disk. */
function placeOf(path: string, file: string): { name: string; is_in: string; link: string } {
  const is_in = relative(path, dirname(file));
  const name = is_in.replace(/^metadata\/?/, "");
  const own = basename(file, ".sql");
  // A database is where its own link leads to, a table where the one in `data` does.
  const link = name === "" ? join(path, "metadata", own) : join(path, "data", name, own);
  return {
    name: `${name === "" ? "" : `${name}.`}${basename(file)}`,
    is_in,
    link,
  };
}

/** @returns the id of what is there */
function leadsTo(link: string): string | undefined {
  try {
    return basename(readlinkSync(link).replace(/\/$/, ""));
  } catch {
    return undefined;
  }
}
