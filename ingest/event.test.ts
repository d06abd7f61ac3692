// The envelope (SPEC 3.1): CloudEvents round untouched bytes.
import { expect, test } from "bun:test";
import { type EventHeader, encodeEvent, headerOf } from "./event.ts";

const header: EventHeader = {
  id: "01JGSRV0000000000000000000",
  type: "mtc.observations.v1",
  tenant_id: "plant-1",
  machine_id: "mill-1",
  time_ms: 1_767_592_800_123,
};

test("invariant 8: the stored bytes are the payload's inside the envelope", () => {
  const data = new TextEncoder().encode('{ "signals" : [],\n "t0":0 }');
  const event = encodeEvent(header, data);
  const at = Buffer.from(event).indexOf(Buffer.from(data));
  expect(at).toBeGreaterThan(0);
  expect(event.length - at - data.length).toBe(1);
  expect(JSON.parse(new TextDecoder().decode(event))).toEqual({
    specversion: "1.0",
    id: header.id,
    type: "mtc.observations.v1",
    source: "/tenants/plant-1/machines/mill-1",
    subject: "mill-1",
    time: "2026-01-05T06:00:00.123Z",
    tenantid: "plant-1",
    dataschema: "/schemas/mtc.observations.v1.json",
    datacontenttype: "application/json",
    data: { signals: [], t0: 0 },
  });
});

test("an envelope is read back without a look at the data, whatever the names in it", () => {
  const hostile = { ...header, machine_id: 'a "b","data":{} \\ ü', tenant_id: 'x,"data":' };
  expect(headerOf(encodeEvent(hostile, new TextEncoder().encode("not even JSON")))).toEqual(hostile);
  for (const none of ["", "{nope", '{"id":"1","data":{}}', '{"id":"1"},"data":{}'])
    expect(() => headerOf(new TextEncoder().encode(none))).toThrow(SyntaxError);
});
