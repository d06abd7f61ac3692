// A source's address (SPEC 5.7): what a plant has is allowed, what only the host itself has is not, however it is written.
import { expect, test } from "bun:test";
import { checkAddress, lookupChecked, RefusedAddress } from "./addresses.ts";
import { ModbusConnection } from "./modbus/connection.ts";
import { ContactError, DEFAULT_PATIENCE, Exchange } from "./mtconnect/exchange.ts";

const refused = (host: string): boolean => {
  try {
    checkAddress(host);
    return false;
  } catch (error) {
    if (error instanceof RefusedAddress) return true;
    throw error;
  }
};

test("private networks and loopback are a plant's", () => {
  const plant = [
    "10.1.2.3",
    "192.168.0.9",
    "172.16.0.1",
    "127.0.0.1",
    "[::1]",
    "fd12::1",
    "8.8.8.8",
    "mill-1",
  ];
  expect(plant.filter(refused)).toEqual([]);
});

test("link-local, metadata, multicast and reserved addresses are refused, mapped into IPv6 too", () => {
  const others = [
    "169.254.169.254",
    "[fe80::1]",
    "224.0.0.1",
    "[ff02::1]",
    "255.255.255.255",
    "0.0.0.0",
    "[::]",
    "[::ffff:169.254.169.254]",
    "::ffff:a9fe:a9fe",
    "100.100.100.200",
    "[fd00:ec2::254]",
    "[64:ff9b::a9fe:a9fe]",
    "168.63.129.16",
    "[::ffff:168.63.129.16]",
    "[64:ff9b::a83f:8110]",
    "[64:ff9b::100.100.100.200]",
  ];
  expect(others.filter((host) => !refused(host))).toEqual([]);
});

test("a name is checked by what it resolves to", async () => {
  const { promise, resolve } = Promise.withResolvers<unknown>();
  lookupChecked("localhost", { all: true }, (error, found) => resolve(error ?? found));
  expect(await promise).toMatchObject([{ address: expect.stringMatching(/^(127\.|::1)/) }]);
});

/** Addresses as a URL or a resolver reads them. */
const WRITTEN = ["169.254.169.254", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376"];

test("agents: no way of writing it leads there, and nothing is sent", async () => {
  for (const host of WRITTEN) {
    const url = `http://${host}/latest/meta-data`;
    const error = await Exchange.open(url, DEFAULT_PATIENCE, new AbortController().signal).catch(
      (why: unknown) => why,
    );
    expect(error).toBeInstanceOf(ContactError);
    expect((error as Error).message).toContain("link-local");
  }
});

test("Modbus: no way of writing it leads there", async () => {
  for (const host of WRITTEN) {
    const error = await ModbusConnection.open({ host, port: 502 }, 1_000).catch((why: unknown) => why);
    expect(String(error)).toContain("link-local");
  }
});
