// What a backup asks of the server that runs, and what it tells of it.
import { type Static, Type } from "@sinclair/typebox";
import type { SavedPartition } from "../../../analytics-sql/backup/tables.ts";

const MAX_PATH_LENGTH = 4_096;
export const MAX_TOKEN_LENGTH = 200;
const Path = Type.String({ minLength: 1, maxLength: MAX_PATH_LENGTH });

export const BackupInput = Type.Object(
  {
    data_dir: Type.String({ ...Path, description: "The installation's, as whoever asks sees it" }),
    to: Type.String({ ...Path, description: "A folder that whoever asks has made for it" }),
    token: Type.String({
      minLength: 16,
      maxLength: MAX_TOKEN_LENGTH,
      description: "What the file `request` in it holds",
    }),
  },
  { additionalProperties: false },
);
export type BackupInput = Static<typeof BackupInput>;

/** The file in the folder that says who asked: who cannot write there cannot have the server write there. */
export const REQUEST = "request";
/** Where tables go, below the folder. */
export const ANALYTICS = "analytics";

export type SavingTables = {
  /** The folder that was asked for. */
  to: string;
  phase: "saving" | "done" | "failed";
  /** Up to where analytics had the log when it began. */
  delivered: number;
  /** What is written, in the end. */
  saved: SavedPartition[];
  seconds: number;
  /** Why it failed, else "". */
  error: string;
};
