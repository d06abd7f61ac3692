// Long answers go out at their reader's pace, and end when the reader stands still.

/** What is taken at once. */
const CHUNK_BYTES = 64 * 1024;

/** Bytes in pieces, for a reader that takes them as it can. */
export function inPieces(bytes: Uint8Array): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream<Uint8Array>({
    pull(reader) {
      reader.enqueue(bytes.subarray(at, at + CHUNK_BYTES));
      at += CHUNK_BYTES;
      if (at >= bytes.length) reader.close();
    },
  });
}

/**
 * The same body, watched: it breaks off when nothing of it is taken for so long.
 * @param ended called when the body was taken or its reader left; with false when the reader stood still
 */
export function watched(
  body: ReadableStream<Uint8Array>,
  still_ms: number,
  ended: (well: boolean) => void,
): ReadableStream<Uint8Array> {
  const from = body.getReader();
  let timer: Timer | undefined;
  const end = (well: boolean): void => {
    clearTimeout(timer);
    ended(well);
  };
  return new ReadableStream<Uint8Array>({
    async pull(reader) {
      clearTimeout(timer);
      const { done, value } = await from.read();
      if (done) {
        end(true);
        reader.close();
        return;
      }
      timer = setTimeout(() => {
        end(false);
        from.cancel().catch(() => undefined);
        reader.error();
      }, still_ms);
      reader.enqueue(value);
    },
    cancel(reason) {
      end(true);
      return from.cancel(reason);
    },
  });
}
