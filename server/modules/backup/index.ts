// /api/v1/backup: analytics into the folder of a backup, for `bun run backup` beside a server that runs.
import { Elysia } from "elysia";
import type { Keys } from "../../keys.ts";
import { auth } from "../../plugins/auth.ts";
import { notFound } from "../../plugins/errors.ts";
import { exactly, jsonBodies } from "../../plugins/validation.ts";
import { BackupInput } from "./model.ts";
import type { Backups } from "./service.ts";

const tags = ["Backup"];

export const backupModule = (backups: Backups, keys: Keys) =>
  new Elysia({ prefix: "/api/v1/backup" })
    .use(auth(keys))
    .use(jsonBodies)
    .post(
      "",
      ({ body, set }) => {
        set.status = 202;
        return backups.start(body);
      },
      {
        scope: "admin",
        ...exactly(BackupInput),
        detail: {
          tags,
          summary: "Write analytics into a backup's folder",
          description: "A part of `bun run backup`, on the server's own host; GET tells how far it is.",
        },
      },
    )
    .get(
      "",
      () => {
        const last = backups.last();
        if (!last) throw notFound("backup");
        return last;
      },
      { scope: "admin", detail: { tags, summary: "The backup under way, or the last one" } },
    );
