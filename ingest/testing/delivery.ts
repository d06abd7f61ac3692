// For tests and benches: events of one line each, as the bus takes them.

/** @returns what `Bus.deliver` is given */
export function delivery(lines: Uint8Array): [lines: Uint8Array, ends: number[]] {
  const ends: number[] = [];
  for (let from = 0; from < lines.length; ) {
    const newline = lines.indexOf(0x0a, from);
    const end = newline < 0 ? lines.length : newline;
    ends.push(end);
    from = end + 1;
  }
  return [lines, ends];
}
