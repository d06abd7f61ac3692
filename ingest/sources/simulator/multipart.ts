// The frame round each document of a stream.

/** One document of a stream. 1.4 counts the line end after it in Content-length, 2.x does not. */
export type Part = { document: string; counts_line_end: boolean };

const encoder = new TextEncoder();

/** Boundary, part headers, the document and the line end after it. */
export function partBytes(boundary: string, { document, counts_line_end }: Part): Uint8Array {
  const body = encoder.encode(document);
  const length = body.length + (counts_line_end ? 2 : 0);
  const head = encoder.encode(`--${boundary}\r\nContent-type: text/xml\r\nContent-length: ${length}\r\n\r\n`);
  const bytes = new Uint8Array(head.length + body.length + 2);
  bytes.set(head);
  bytes.set(body, head.length);
  bytes.set([13, 10], head.length + body.length);
  return bytes;
}
