// Sizes for people: three figures and a unit.
import { number } from "../format.ts";
import { text } from "../text.ts";

/** `512 B`, `1.4 MB`, `23 GB`; a thousand to the next, as disks are sold. */
export function bytesText(bytes: number): string {
  const { bytes: units } = text;
  let [value, i] = [bytes, 0];
  while (value >= 999.5 && i < units.length - 1) [value, i] = [value / 1_000, i + 1];
  return `${number(value, i > 0 && value < 100 ? 1 : 0)} ${units[i] ?? ""}`;
}
