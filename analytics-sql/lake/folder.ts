// A lake in a folder of this machine, or of a share that is mounted on it.
import { randomUUID } from "node:crypto";
import { chmod, copyFile, mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { literal } from "../engine/literal.ts";
import { LAKE_COLUMNS, type LakeStorage } from "./storage.ts";

/** What is not there is no failure. */
function absent(error: unknown): undefined {
  if ((error as { code?: string }).code === "ENOENT") return undefined;
  throw error;
}

/** A lake is made to be read by others, whatever the program keeps to itself. */
const FOLDER_MODE = 0o755;
const FILE_MODE = 0o644;

/** Makes a folder, and what leads to it. */
async function folderForOthers(folder: string): Promise<void> {
  const made = await mkdir(folder, { recursive: true });
  if (made === undefined) return;
  // From the first that is new down to the last.
  let path = made;
  await chmod(path, FOLDER_MODE);
  for (const name of relative(made, folder).split("/").filter(Boolean)) {
    path = join(path, name);
    await chmod(path, FOLDER_MODE);
  }
}

/** @param root an absolute path; it is made when something is written */
export function folderStorage(root: string): LakeStorage {
  /** Written aside, on the disk, and only then under its name. */
  const place = async (name: string, fill: (aside: string) => Promise<void>): Promise<void> => {
    const path = join(root, name);
    const aside = `${path}.${randomUUID()}.tmp`;
    await folderForOthers(dirname(path));
    try {
      await fill(aside);
      await chmod(aside, FILE_MODE);
      await synced(aside);
      await rename(aside, path);
      await synced(dirname(path));
    } catch (error) {
      await rm(aside, { force: true });
      throw error;
    }
  };
  return {
    read: (name) => Bun.file(join(root, name)).text().catch(absent),
    write: (name, text) => place(name, async (aside) => void (await Bun.write(aside, text))),
    upload: (name, path) => place(name, (aside) => copyFile(path, aside)),
    size_bytes: async (name) => (await stat(join(root, name)).catch(absent))?.size,
    async list(folder) {
      const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true }).catch(
        absent,
      );
      const files = (entries ?? []).filter((entry) => entry.isFile());
      return Promise.all(
        files.map(async ({ parentPath, name }) => {
          const path = join(parentPath, name);
          return { name: path.slice(root.length + 1), modified_ms: (await stat(path)).mtimeMs };
        }),
      );
    },
    async folders(folder) {
      const entries = (await readdir(join(root, folder), { withFileTypes: true }).catch(absent)) ?? [];
      return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
    },
    remove: (name) => rm(join(root, name), { force: true }),
    table: (name) => ({
      sql: `file({lake_file:String}, 'Parquet', ${literal(LAKE_COLUMNS)})`,
      params: { lake_file: join(root, name) },
    }),
    engine: (pattern) => `File(Parquet, ${literal(join(root, pattern))})`,
  };
}

async function synced(path: string): Promise<void> {
  const file = await open(path, "r");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
