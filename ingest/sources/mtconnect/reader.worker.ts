// The thread in which documents are read that may take long: one at a time, as they come.
import { type Asset, readAssets } from "./asset-document.ts";
import { MAX_INLINE_BYTES } from "./bounds.ts";
import { type DeviceStream, type MTConnectDocument, readDocument, readStreams } from "./document.ts";
import type { StreamColumns } from "./items.ts";

declare const self: Worker;

/** What an answer should be: any document, one of observations, or one of assets. */
export type Expected = "document" | "streams" | "assets";
export type Question = { bytes: Uint8Array; expected: Expected };
export type ReadDocument = MTConnectDocument | { kind: "assets"; assets: Asset[] };
export type Answer = { document: ReadDocument } | { unreadable: string };

function read({ bytes, expected }: Question): ReadDocument {
  if (expected === "streams") return readStreams(bytes);
  const assets = expected === "assets" ? readAssets(bytes) : undefined;
  return assets ? { kind: "assets", assets } : readDocument(bytes);
}

/** Only the rows that there are, and as buffers that change hands: a copy of them would be made on the event loop. */
function columnsOf({ items }: DeviceStream): StreamColumns {
  const { ids, words, details, length } = items;
  return {
    ids,
    words,
    details,
    length,
    id: items.id.slice(0, length),
    word: items.word.slice(0, length),
    category: items.category.slice(0, length),
    sequence: items.sequence.slice(0, length),
    ts_us: items.ts_us.slice(0, length),
    num: items.num.slice(0, length),
  };
}

self.onmessage = ({ data }: MessageEvent<Question>) => {
  try {
    const document = read(data);
    if (document.kind !== "streams") return self.postMessage({ document } satisfies Answer);
    const devices = document.devices.map((device) => ({ ...device, items: columnsOf(device) }));
    const buffers = devices.flatMap(({ items }) =>
      [items.id, items.word, items.category, items.sequence, items.ts_us, items.num].map(
        ({ buffer }) => buffer as ArrayBuffer,
      ),
    );
    self.postMessage({ document: { ...document, devices } }, buffers);
  } catch (error) {
    const unreadable = error instanceof Error ? error.message : String(error);
    self.postMessage({ unreadable } satisfies Answer);
  }
  // Nobody is held up by it here, and the next document may be as long as this one was.
  if (data.bytes.length > MAX_INLINE_BYTES) Bun.gc(true);
};
