// An S3 server of another make, on loopback, for a test file.
import { until } from "../../.ci/limits.ts";
import { findMoto } from "../../.ci/s3-peer.ts";
import { freePort } from "../../ingest/free-ports.ts";
import type { S3Options } from "../lake/s3.ts";

export type S3Peer = { options: S3Options; stop(): Promise<void> };

export const hasS3Peer = findMoto() !== undefined;

/** Starts it with an empty bucket. */
export async function startS3Peer(): Promise<S3Peer> {
  const port = freePort();
  const child = Bun.spawn([findMoto() ?? "", "-H", "127.0.0.1", "-p", String(port)], {
    stdout: "ignore",
    stderr: "ignore",
  });
  const endpoint = `http://127.0.0.1:${port}`;
  await until(() =>
    fetch(`${endpoint}/lake`, { method: "PUT" }).then(
      ({ ok }) => ok,
      () => false,
    ),
  );
  return {
    options: {
      endpoint,
      region: "us-east-1",
      bucket: "lake",
      prefix: "plant/",
      access_key: "key",
      secret_key: "secret",
    },
    async stop() {
      child.kill();
      await child.exited;
    },
  };
}
