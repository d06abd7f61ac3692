// What a machine's `source` may be, as the API takes it.
import { type Static, Type } from "@sinclair/typebox";
import { ModbusMap } from "./modbus/map.ts";

export const MachineSource = Type.Union([
  Type.Object(
    {
      kind: Type.Literal("mtconnect"),
      url: Type.String({ format: "uri", maxLength: 500 }),
      device: Type.Optional(
        Type.String({ maxLength: 200, description: "The device's uuid or name; the first one without it" }),
      ),
    },
    { additionalProperties: false },
  ),
  Type.Object(
    {
      kind: Type.Literal("modbus"),
      host: Type.String({ minLength: 1, maxLength: 255 }),
      port: Type.Optional(Type.Integer({ minimum: 1, maximum: 65_535 })),
      unit: Type.Optional(Type.Integer({ minimum: 0, maximum: 255, description: "1 without it" })),
      map: ModbusMap,
      poll_ms: Type.Optional(
        Type.Integer({
          minimum: 10,
          maximum: 3_600_000,
          description: "How often it is read; 250 without it",
        }),
      ),
      close_after_read: Type.Optional(
        Type.Boolean({ description: "An idle socket keeps other masters out of some modules" }),
      ),
    },
    { additionalProperties: false },
  ),
  Type.Object({ kind: Type.Literal("http") }, { additionalProperties: false }),
]);
export type MachineSource = Static<typeof MachineSource>;
