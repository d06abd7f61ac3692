// The lake of an installation, and from when on it alone has the days that left the table before their time (SPEC 14.10).
import { folderStorage } from "../analytics-sql/lake/folder.ts";
import { Lake } from "../analytics-sql/lake/lake.ts";
import { s3Storage } from "../analytics-sql/lake/s3.ts";
import type { Config } from "./config.ts";
import { forgottenBefore_us } from "./shortage.ts";

type Settings = Pick<Config, "lake" | "raw_retention_days" | "data_dir">;

/** @returns undefined where there is none */
export function openLake({ lake, raw_retention_days, data_dir }: Settings): Lake | undefined {
  if (!lake) return undefined;
  const made = new Lake(lake.kind === "s3" ? s3Storage(lake) : folderStorage(lake.path), raw_retention_days);
  made.forgotten_before_us = forgottenBefore_us(data_dir);
  return made;
}
