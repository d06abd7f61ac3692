// Where the lake's files lie, as the lake sees it: a folder or a bucket.

/** A file of the lake as a table: SQL with its parameters. */
export type LakeTable = { sql: string; params: Record<string, string> };

/** Names are paths below the lake's root, with `/`. */
export type LakeStorage = {
  /** @returns undefined where there is no such file */
  read(name: string): Promise<string | undefined>;
  /** The whole text or, if it fails, what was there before. */
  write(name: string, text: string): Promise<void>;
  /** A local file under its name in the lake, whole or not at all. */
  upload(name: string, path: string): Promise<void>;
  /** @returns undefined where there is no such file */
  size_bytes(name: string): Promise<number | undefined>;
  /** Every file below a folder. */
  list(folder: string): Promise<{ name: string; modified_ms: number }[]>;
  /** The names of the folders in a folder. */
  folders(folder: string): Promise<string[]>;
  remove(name: string): Promise<void>;
  table(name: string): LakeTable;
  /** A table engine over all files of a pattern, as text of SQL. */
  engine(pattern: string): string;
};

/** The columns of each file: those of mtc.observations. */
export const LAKE_COLUMNS =
  "tenant_id String, machine_id String, signal String, ts DateTime64(6, 'UTC'), seq UInt64, num Nullable(Float64), word String";
