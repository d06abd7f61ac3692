// The lake in a bucket, of an S3 that is not ours.
import { afterAll } from "bun:test";
import { S3Client } from "bun";
import { hasS3Peer, startS3Peer } from "../testing/s3.ts";
import { lakeContract, must } from "./lake.contract.ts";
import { s3Storage } from "./s3.ts";

const peer = hasS3Peer ? await startS3Peer() : undefined;
afterAll(() => peer?.stop());
let made = 0;

lakeContract(
  "a bucket (moto)",
  hasS3Peer,
  () => s3Storage({ ...must(peer).options, prefix: `plant-${++made}/` }),
  (storage, name) => {
    const { endpoint, region, bucket, access_key, secret_key } = must(peer).options;
    const keys = { accessKeyId: access_key, secretAccessKey: secret_key };
    const path = new URL(must(storage.table(name).params.lake_url)).pathname.slice(`/${bucket}/`.length);
    return new S3Client({ endpoint, region, bucket, ...keys }).file(decodeURIComponent(path)).arrayBuffer();
  },
);
