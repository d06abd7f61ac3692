// Packed bodies: bombs, cuts, foreign frames.
import { expect, test } from "bun:test";
import { constants, gzipSync, zstdCompressSync } from "node:zlib";
import { BadInput } from "../../problem.ts";
import { unpack } from "./unpack.ts";

const MAX = 1 << 20;
const text = Buffer.from(
  Array.from({ length: 5_000 }, (_, i) => `{"signal":"s${i % 7}","ts":${i},"value":${Math.sqrt(i)}}`).join(
    "\n",
  ),
);
const frame = zstdCompressSync(text);
const refusal = (packed: Uint8Array, packing: "gzip" | "zstd"): unknown => {
  try {
    return unpack(packed, packing, MAX);
  } catch (error) {
    return error;
  }
};

test("what was packed comes out, in one frame or several", () => {
  expect(unpack(gzipSync(text), "gzip", MAX)).toEqual(text);
  expect(unpack(frame, "zstd", MAX)).toEqual(text);
  const twice = Buffer.concat([text, text]);
  expect(unpack(Buffer.concat([gzipSync(text), gzipSync(text)]), "gzip", MAX)).toEqual(twice);
  const skippable = Buffer.from([0x5f, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
  expect(unpack(Buffer.concat([frame, skippable, frame]), "zstd", MAX)).toEqual(twice);
  const checked = zstdCompressSync(text, { params: { [constants.ZSTD_c_checksumFlag]: 1 } });
  expect(unpack(checked, "zstd", MAX)).toEqual(text);
});

test("invariant 7: nothing beyond the bound comes out, whatever the packing promises", () => {
  const whole = Buffer.alloc(MAX);
  expect(unpack(gzipSync(whole), "gzip", MAX)).toHaveLength(MAX);
  expect(unpack(zstdCompressSync(whole), "zstd", MAX)).toHaveLength(MAX);
  const bomb = Buffer.alloc(MAX * 256);
  expect(unpack(gzipSync(bomb), "gzip", MAX)).toBeUndefined();
  expect(unpack(zstdCompressSync(bomb), "zstd", MAX)).toBeUndefined();
  expect(unpack(gzipSync(Buffer.alloc(MAX + 1)), "gzip", MAX)).toBeUndefined();
  // A frame of one byte that asks for a window of 128 MiB.
  const wide = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, (27 - 10) << 3, 9, 0, 0, 0x41]);
  expect(refusal(wide, "zstd")).toBeInstanceOf(BadInput);
});

test("a cut at any byte is refused, never taken for the whole (invariant 2)", () => {
  const small = text.subarray(0, 2_000);
  const packed = { gzip: gzipSync(small), zstd: zstdCompressSync(small) };
  for (const packing of ["gzip", "zstd"] as const) {
    for (let length = 0; length < packed[packing].length; length++) {
      expect(refusal(packed[packing].subarray(0, length), packing)).toBeInstanceOf(BadInput);
    }
  }
  for (const length of [frame.length - 1, frame.length >> 1, 1_000]) {
    expect(refusal(frame.subarray(0, length), "zstd")).toBeInstanceOf(BadInput);
  }
});

test.each(["gzip", "zstd"] as const)("what is no %s, or has something behind it, is refused", (packing) => {
  const whole = packing === "gzip" ? gzipSync(text) : frame;
  for (const bytes of [Buffer.from("plain text"), Buffer.concat([whole, Buffer.from("and more")])]) {
    expect(refusal(bytes, packing)).toBeInstanceOf(BadInput);
  }
});
