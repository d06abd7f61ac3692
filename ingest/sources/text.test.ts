// Texts from outside are cut where they come in: by length, and never within a character.
import { expect, test } from "bun:test";
import { ReadError } from "./modbus/connection.ts";
import { ContactError } from "./mtconnect/exchange.ts";
import { cut, MAX_ERROR_LENGTH, messageOf } from "./text.ts";
import { TrialError } from "./trial.ts";

test("a text is itself up to the bound, then its beginning with an ellipsis", () => {
  expect(cut("x".repeat(5), 5)).toBe("xxxxx");
  expect(cut("x".repeat(6), 5)).toBe("xxxx…");
  expect(cut("xxx\u{1f600}xx", 5).isWellFormed()).toBe(true);
});

test("invariant 7: no error of an agent, a device or the network is longer", () => {
  const long = "x".repeat(1_000_000);
  for (const { message } of [
    new ContactError(long),
    new ReadError("broken", long),
    new TrialError("broken", long),
    { message: messageOf(new Error(long)) },
    { message: messageOf(long) },
  ])
    expect(message).toHaveLength(MAX_ERROR_LENGTH);
});
