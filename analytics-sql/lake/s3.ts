// A lake in a bucket: S3, or whatever speaks its protocol.
import { S3Client } from "bun";
import { literal } from "../engine/literal.ts";
import { LAKE_COLUMNS, type LakeStorage } from "./storage.ts";

export type S3Options = {
  endpoint: string;
  region: string;
  bucket: string;
  /** Before every name; "" or ending with `/`. */
  prefix: string;
  access_key: string;
  secret_key: string;
};

/** The least that a part of an upload may be is 5 MiB; one or two are in memory at a time. */
const PART_BYTES = 8 * 1024 * 1024;

/** Only a store that says so has no such file: an outage is none, or a file would be written without its old rows. */
function absent(error: unknown): undefined {
  if (["NoSuchKey"].includes((error as { code?: string }).code ?? "")) return undefined;
  throw error;
}

export function s3Storage({
  endpoint,
  region,
  bucket,
  prefix,
  access_key,
  secret_key,
}: S3Options): LakeStorage {
  const client = new S3Client({
    endpoint,
    region,
    bucket,
    accessKeyId: access_key,
    secretAccessKey: secret_key,
  });
  /** Page by page: a page has a thousand names. */
  const pages = async (folder: string, delimiter?: string) => {
    const found: Bun.S3ListObjectsResponse[] = [];
    let continuationToken: string | undefined;
    do {
      const page = await client.list({
        prefix: `${prefix}${folder}/`,
        ...(delimiter ? { delimiter } : {}),
        ...(continuationToken ? { continuationToken } : {}),
      });
      found.push(page);
      continuationToken = page.isTruncated ? page.nextContinuationToken : undefined;
    } while (continuationToken);
    return found;
  };
  return {
    read: (name) =>
      client
        .file(prefix + name)
        .text()
        .catch(absent),
    write: async (name, text) => void (await client.write(prefix + name, text)),
    async upload(name, path) {
      const writer = client.file(prefix + name).writer({ partSize: PART_BYTES, queueSize: 1 });
      for await (const chunk of Bun.file(path).stream()) {
        writer.write(chunk);
        await writer.flush();
      }
      await writer.end();
    },
    size_bytes: async (name) => (await client.stat(prefix + name).catch(absent))?.size,
    async list(folder) {
      const contents = (await pages(folder)).flatMap((page) => page.contents ?? []);
      return contents.map(({ key, lastModified }) => ({
        name: key.slice(prefix.length),
        modified_ms: lastModified ? Date.parse(lastModified) : 0,
      }));
    },
    async folders(folder) {
      const prefixes = (await pages(folder, "/")).flatMap((page) => page.commonPrefixes ?? []);
      return prefixes.map((found) => found.prefix.slice(prefix.length + folder.length + 1, -1));
    },
    remove: (name) => client.delete(prefix + name),
    table: (name) => ({
      sql: `s3({lake_url:String}, {lake_access_key:String}, {lake_secret_key:String}, 'Parquet', ${literal(LAKE_COLUMNS)})`,
      params: {
        lake_url: `${endpoint}/${[bucket, ...(prefix + name).split("/")].map(encodeURIComponent).join("/")}`,
        lake_access_key: access_key,
        lake_secret_key: secret_key,
      },
    }),
    engine(pattern) {
      const parts = [bucket, ...(prefix + pattern).split("/")];
      const path = parts.map((part) => encodeURIComponent(part).replaceAll("%2A", "*")).join("/");
      const [url, key, secret] = [`${endpoint}/${path}`, access_key, secret_key].map(literal);
      return `S3(${url}, ${key}, ${secret}, 'Parquet')`;
    },
  };
}
