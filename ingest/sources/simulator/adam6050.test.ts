// The simulated ADAM-6050, read by modbus-serial's client over TCP.
import { afterAll, beforeAll, expect, test } from "bun:test";
import ModbusRTU from "modbus-serial";
import { limit_ms } from "../../../.ci/limits.ts";
import { type Adam6050, startAdam6050 } from "./adam6050.ts";

let adam: Adam6050;
const master = new ModbusRTU();
beforeAll(async () => {
  adam = await startAdam6050();
  await master.connectTCP(adam.host, { port: adam.port });
  master.setTimeout(limit_ms());
  master.setID(adam.unit);
});
afterAll(async () => {
  master.close(() => {});
  await adam.stop();
});

test("inputs are coils 0-11 and discrete inputs; a read of twelve comes as sixteen booleans", async () => {
  adam.setInput(0, true);
  adam.setInput(11, true);
  const expected = [true, ...Array(10).fill(false), true];
  const { data } = await master.readCoils(0, 12);
  expect(data.length).toBe(16);
  expect(data.slice(0, 12)).toEqual(expected);
  expect((await master.readDiscreteInputs(0, 12)).data.slice(0, 12)).toEqual(expected);
  adam.setInput(0, false);
  expect((await master.readCoils(0, 1)).data[0]).toBe(false);
});

test("counters are unsigned 32-bit, low word first, in holding and input registers", async () => {
  adam.setCounter(0, 70_000);
  adam.setCounter(1, 0xffff_ffff);
  adam.setCounter(11, 5);
  expect((await master.readHoldingRegisters(0, 4)).data).toEqual([4464, 1, 65_535, 65_535]);
  expect((await master.readInputRegisters(22, 2)).data).toEqual([5, 0]);
  adam.setCounter(1, 0x1_0000_0003);
  expect((await master.readHoldingRegisters(2, 2)).data).toEqual([3, 0]);
});

test("outputs are written as coils 16-21; any other address is exception 2", async () => {
  await master.writeCoil(17, true);
  expect(adam.output(1)).toBe(true);
  expect((await master.readCoils(16, 6)).data.slice(0, 6)).toEqual([false, true, false, false, false, false]);
  await expect(master.readHoldingRegisters(24, 1)).rejects.toMatchObject({ modbusCode: 2 });
  await expect(master.writeCoil(3, true)).rejects.toMatchObject({ modbusCode: 2 });
});

test("another unit gets no answer", async () => {
  master.setID(7);
  master.setTimeout(300);
  const asked = master.readCoils(0, 1);
  await expect(asked).rejects.toMatchObject({ name: "TransactionTimedOutError" });
  master.setID(adam.unit);
  master.setTimeout(limit_ms());
  expect((await master.readCoils(11, 1)).data[0]).toBe(true);
});
