// For tests: recorded documents of real agents, read where they lie beside the project.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

const DATA = join(import.meta.dir, "../../../../shared/data");

/** Whether the recordings are here; tests that need them skip by name where not. */
export const haveRecordings = existsSync(DATA);
if (!haveRecordings) console.warn(`skipping tests on recordings: there is no ${DATA}`);

export const recording = (path: string): Uint8Array => new Uint8Array(readFileSync(join(DATA, path)));

/** Every file below the folder with that ending, relative to the recordings. */
export function recordings(ending: string): string[] {
  if (!haveRecordings) return [];
  return readdirSync(DATA, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(ending));
}

/** A captured HTTP answer: `body` with its chunks joined, as an HTTP client would give it. */
export type Capture = { name: string; content_type: string; body: Uint8Array };

/** All captured answers of a running agent. */
export function captures(): Capture[] {
  const names = [...recordings(".http"), ...recordings(".http.gz")];
  return names.map((name) => {
    const raw = recording(name);
    return readCapture(name, name.endsWith(".gz") ? new Uint8Array(gunzipSync(raw)) : raw);
  });
}

function readCapture(name: string, raw: Uint8Array): Capture {
  const end = Buffer.from(raw).indexOf("\r\n\r\n");
  const head = new TextDecoder().decode(raw.subarray(0, end));
  const body = raw.subarray(end + 4);
  const content_type = /^content-type: (.*)$/im.exec(head)?.[1]?.trim() ?? "";
  return { name, content_type, body: /^transfer-encoding: chunked/im.test(head) ? joinChunks(body) : body };
}

function joinChunks(body: Uint8Array): Uint8Array {
  const chunks: Uint8Array[] = [];
  const bytes = Buffer.from(body);
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf("\r\n", at);
    if (end < 0) break;
    const size = Number.parseInt(bytes.toString("latin1", at, end), 16);
    chunks.push(body.subarray(end + 2, end + 2 + size));
    at = end + 2 + size + 2;
  }
  return new Uint8Array(Buffer.concat(chunks));
}
