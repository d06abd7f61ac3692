// What the simulators' tests share: reading a multipart stream by Content-length.

export const text = async (url: string): Promise<string> => (await fetch(url)).text();

export type Part = { document: string; content_length: number; raw: string };

/** Reads the parts of a stream one at a time. ASCII only: a character is a byte. */
export function partsOf(response: Response) {
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const decoder = new TextDecoder();
  let buffer = "";
  /** @returns false at the end, however it came */
  const more = async (): Promise<boolean> => {
    const chunk = await reader.read().catch(() => ({ done: true, value: undefined }));
    if (chunk.value) buffer += decoder.decode(chunk.value);
    return !chunk.done;
  };
  return {
    async next(): Promise<Part> {
      for (;;) {
        const part = /^\s*--\S+\r\n[^<]*?Content-length: (\d+)\r\n\r\n/.exec(buffer);
        const length = Number(part?.[1]);
        if (part && buffer.length >= part[0].length + length) {
          const body = buffer.slice(part[0].length, part[0].length + length);
          buffer = buffer.slice(part[0].length + length);
          return { document: body.replace(/\r\n$/, ""), content_length: length, raw: part[0] + body };
        }
        if (!(await more())) throw new Error("the stream ended");
      }
    },
    /** Reads on to the stream's end; what came stays for `rest`. */
    async ended(): Promise<boolean> {
      while (await more());
      return true;
    },
    rest: (): string => buffer.trimStart(),
    stop: () => reader.cancel(),
  };
}
