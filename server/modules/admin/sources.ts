// A machine's source and rules as the fields of a form, and back: what the API's schemas cannot read off flat fields.
import { type Static, type TSchema, Type } from "@sinclair/typebox";
import { BadInput, badInput } from "../../../ingest/problem.ts";
import type { Rules } from "../../../ingest/rules.ts";
import { MachineSource } from "../../../ingest/sources/model.ts";
import { type Fields, fieldsOf, inputOf, withoutBlanks, wrong } from "./form.ts";

export type SourceKind = MachineSource["kind"];
export const SOURCE_KINDS = ["mtconnect", "modbus", "http"] as const satisfies readonly SourceKind[];

/** A part of a form that stands at a path. @throws BadInput with its fields' paths */
export function inputAt<Schema extends TSchema>(
  schema: Schema,
  fields: Fields,
  path: string,
): Static<Schema> {
  try {
    return inputOf(schema, fields, path);
  } catch (error) {
    throw new BadInput(wrong(error, path));
  }
}

/** The schema of each kind: a form is of one, so that its errors name its own fields. */
const SCHEMAS = Object.fromEntries(
  MachineSource.anyOf.map((schema) => [schema.properties.kind.const, schema]),
) as Record<SourceKind, (typeof MachineSource.anyOf)[number]>;

/** @throws BadInput with paths below `/source` */
export function sourceOf(kind: SourceKind, fields: Fields): MachineSource {
  const values = { ...fields, "/source/kind": [kind] };
  if (kind !== "modbus") return inputAt(SCHEMAS[kind], values, "/source") as MachineSource;
  // The map is the API's own: a name, or JSON that a person wrote.
  const map = mapOf((fields["/source/map"]?.[0] ?? "").trim());
  const rest = inputAt(Type.Omit(MachineSource.anyOf[1], ["map"]), values, "/source");
  const close = fields["/source/close_after_read"] !== undefined;
  const source = { ...rest, map, ...(close ? { close_after_read: true } : { close_after_read: undefined }) };
  return JSON.parse(JSON.stringify(source)) as MachineSource;
}

function mapOf(text: string): unknown {
  if (text === "adam-6050") return text;
  try {
    return JSON.parse(text);
  } catch {
    throw badInput("/source/map", "map_not_json");
  }
}

/** A source as fields; a map that is no name as JSON. */
export function sourceFields(source: MachineSource): Fields {
  if (source.kind !== "modbus") return fieldsOf(source, "/source");
  const { map, close_after_read, ...rest } = source;
  const text = typeof map === "string" ? map : JSON.stringify(map, null, 1);
  return {
    ...fieldsOf(rest, "/source"),
    "/source/map": [text],
    ...(close_after_read ? { "/source/close_after_read": ["1"] } : {}),
  };
}

const Row = Type.Object({ signal: Type.String(), is: Type.String(), words: Type.Optional(Type.String()) });

/** Rows with `signal`, `is` and `words` as rules. @throws BadInput with paths below `/rules` */
export function rulesOf(fields: Fields): Rules {
  const rows = inputAt(Type.Array(Row), withoutBlanks(fields, "/rules"), "/rules");
  return rows.map(({ signal, is, words }, i) => ({
    signal,
    is,
    ...(words === undefined ? {} : { words: wordsOf(words, `/rules/${i}/words`) }),
  }));
}

/** `0=READY, 1=ACTIVE` as `{"0":"READY","1":"ACTIVE"}`. @throws BadInput */
function wordsOf(text: string, path: string): Record<string, string> {
  const words: [string, string][] = text
    .split(/[,;\n]/)
    .map((pair) => pair.trim())
    .filter((pair) => pair !== "")
    .map((pair) => {
      const cut = pair.indexOf("=");
      const [value, word] = [pair.slice(0, cut).trim(), pair.slice(cut + 1).trim()];
      if (cut < 1 || value === "" || word === "") throw badInput(path, "words_form");
      return [value, word];
    });
  return Object.fromEntries(words);
}

export const rulesFields = (rules: Rules): Fields =>
  Object.assign(
    {},
    ...rules.map(({ signal, is, words }, i) => ({
      [`/rules/${i}/signal`]: [signal],
      [`/rules/${i}/is`]: [is],
      ...(words
        ? {
            [`/rules/${i}/words`]: [
              Object.entries(words)
                .map(([value, word]) => `${value}=${word}`)
                .join(", "),
            ],
          }
        : {}),
    })),
  );

/** The wires of an ADAM-6050 as rules: which input means that it runs, which that it is broken, which counter parts. */
export function wiresOf(fields: Fields): Rules {
  const chosen = (name: string): string => fields[`/wires/${name}`]?.[0] ?? "";
  const [run, fault, parts] = [chosen("run"), chosen("fault"), chosen("parts")];
  if (run !== "" && run === fault) throw badInput("/wires/fault", "already_meant", { signal: run });
  const rules: Rules = [];
  const level = (name: string): ["0" | "1", "0" | "1"] => (chosen(name) === "0" ? ["0", "1"] : ["1", "0"]);
  if (run !== "") {
    const [yes, no] = level("run_when");
    rules.push({ signal: run, is: "execution", words: { [yes]: "ACTIVE", [no]: "READY" } });
  }
  if (fault !== "") {
    const [yes, no] = level("fault_when");
    rules.push({ signal: fault, is: "condition:fault", words: { [yes]: "FAULT", [no]: "NORMAL" } });
  }
  if (parts !== "") rules.push({ signal: parts, is: "part_count" });
  return rules;
}
