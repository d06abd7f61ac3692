// The Avro schema of an event, made of the TypeBox schemas of its data.
import { Kind, OptionalKind, type TSchema } from "@sinclair/typebox";
import { EVENT_SCHEMAS } from "../../event.ts";

/** An Avro schema as JSON. */
export type AvroSchema =
  | string
  | AvroSchema[]
  | { type: "array"; items: AvroSchema }
  | { type: "map"; values: AvroSchema }
  | { type: "long"; logicalType: string }
  | { type: "record"; name: string; namespace?: string; doc?: string; fields: AvroField[] };
type AvroField = { name: string; type: AvroSchema; doc?: string; default?: null | [] };

/** The parts of TypeBox's schemas that are looked at. */
type Schema = TSchema & {
  [Kind]: string;
  description?: string;
  properties?: Record<string, TSchema>;
  items?: TSchema;
  anyOf?: TSchema[];
  patternProperties?: Record<string, TSchema>;
  maximum?: number;
};

const INT_MAX = 2 ** 31 - 1;
const NAMESPACE = "mtc.v1";

/**
 * An event has the names that it has as JSON, and its data the keys of all event types at once, as they stand at
 * analytics' door: those that an event does not have are null, or empty lists.
 */
export function eventSchema(schemas: Record<string, TSchema> = EVENT_SCHEMAS): AvroSchema {
  const keys = new Map<string, TSchema>();
  for (const schema of Object.values(schemas)) {
    for (const [key, value] of Object.entries((schema as Schema).properties ?? {})) {
      if (keys.has(key)) throw new Error(`two types of events have a key "${key}"`);
      keys.set(key, value);
    }
  }
  return {
    type: "record",
    name: "Event",
    namespace: NAMESPACE,
    doc: "An event of MTC: CloudEvents 1.0. The same event may come twice: its id tells.",
    fields: [
      { name: "id", type: "string", doc: "ULID" },
      { name: "type", type: "string", doc: "mtc.observations.v1 …: which keys data has" },
      { name: "source", type: "string" },
      { name: "subject", type: "string", doc: "The machine; empty where it is about all of the tenant's" },
      { name: "tenantid", type: "string" },
      { name: "time", type: { type: "long", logicalType: "timestamp-millis" }, doc: "When MTC took it" },
      {
        name: "data",
        type: {
          type: "record",
          name: "Data",
          fields: [...keys].map(([name, schema]) => field(name, schema, true)),
        },
      },
    ],
  };
}

/** Optional fields have a default, so that whoever knows of them can read what was written before they were there. */
function field(name: string, schema: TSchema, optional: boolean, parent = ""): AvroField {
  const type = typeOf(
    schema as Schema,
    parent + name.replace(/(^|_)(\w)/g, (_, __, a: string) => a.toUpperCase()),
  );
  const { description } = schema;
  const own = { name, ...(description === undefined ? {} : { doc: description }) };
  if (!optional) return { ...own, type };
  if (typeof type === "object" && "items" in type) return { ...own, type, default: [] };
  return { ...own, type: ["null", type], default: null };
}

/** @param name of the record, where it is one: Avro wants each to have one of its own */
function typeOf(schema: Schema, name: string): AvroSchema {
  const {
    properties = {},
    items,
    anyOf = [],
    patternProperties = {},
    maximum = Number.MAX_SAFE_INTEGER,
  } = schema;
  switch (schema[Kind]) {
    case "String":
    // Words that may become more: a reader who does not know one would stop at an enum.
    case "Literal":
      return "string";
    case "Boolean":
      return "boolean";
    case "Number":
      return "double";
    case "Integer":
      return maximum <= INT_MAX ? "int" : "long";
    case "Array":
      return { type: "array", items: typeOf(items as Schema, name) };
    case "Record": {
      const [values] = Object.values(patternProperties);
      return { type: "map", values: typeOf(values as Schema, name) };
    }
    case "Object": {
      const fields = Object.entries(properties).map(([key, one]) =>
        field(key, one, OptionalKind in one, name),
      );
      return { type: "record", name, fields };
    }
    case "Union": {
      const kinds = anyOf.map((one) => (one as Schema)[Kind]);
      if (kinds.every((kind) => kind === "Literal")) return "string";
      const [value, ...more] = anyOf.filter((one) => (one as Schema)[Kind] !== "Null");
      if (value && more.length === 0) return ["null", typeOf(value as Schema, name)];
    }
  }
  throw new Error(`${name}: ${schema[Kind]} has no Avro type`);
}
