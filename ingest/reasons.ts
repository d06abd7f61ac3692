// The tree of reason codes: what the API takes, and what follows from it for analytics.
import { type Static, Type } from "@sinclair/typebox";
import { REASON_CATEGORIES, type ReasonsData } from "./event.ts";
import { Shown } from "./names.ts";
import { badInput } from "./problem.ts";

const strict = { additionalProperties: false };
const Code = Shown({ minLength: 1, maxLength: 100 });

export const ReasonsInput = Type.Array(
  Type.Object(
    {
      code: Code,
      name: Shown({ minLength: 1, maxLength: 200 }),
      parent: Type.Optional(Code),
      policy: Type.Optional(
        Type.Union([Type.Literal("loss"), Type.Literal("excluded")], {
          description:
            "Is its time lost, or taken out of planned time; the parent's where it is left out, else lost",
        }),
      ),
      category: Type.Optional(
        Type.Union(
          REASON_CATEGORIES.map((category) => Type.Literal(category)),
          { description: "Which loss it is; the parent's where it is left out, else what the state says" },
        ),
      ),
      automatic: Type.Optional(
        Type.Array(
          Type.Object(
            {
              condition: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
              code: Type.Optional(Type.String({ minLength: 1, maxLength: 120 })),
              machines: Type.Optional(
                Type.Array(Type.String({ minLength: 1, maxLength: 100 }), { maxItems: 1_000 }),
              ),
            },
            { ...strict, minProperties: 1 },
          ),
          {
            maxItems: 100,
            description:
              "Gives the reason to stops by itself while the condition (a data item's id, or any) is FAULT, or has the " +
              "native code among its alarms. Of several rules the first in the list holds, and an operator's word before all",
          },
        ),
      ),
    },
    strict,
  ),
  { maxItems: 500 },
);
export type ReasonsInput = Static<typeof ReasonsInput>;

/** Each rule costs every roll-up a little. */
const MAX_RULES = 100;

type Reasons = Omit<ReasonsData["reasons"], "since_us">;

/**
 * What a tree of reasons says of each of its codes.
 * @throws BadInput naming the path: a code that is there twice, a parent that is not, a circle, too many rules
 */
export function compileReasons(input: ReasonsInput): Reasons {
  const by_code = new Map<string, ReasonsInput[number]>();
  input.forEach((reason, i) => {
    if (by_code.has(reason.code)) throw badInput(`/${i}/code`, "reason_twice", { reason: reason.code });
    by_code.set(reason.code, reason);
  });
  const lines = input.map((reason, i) => lineOf(reason, by_code, `/${i}/parent`));
  const rules = input.flatMap(({ code, automatic = [] }) => automatic.map((rule) => ({ ...rule, of: code })));
  if (rules.length > MAX_RULES) throw badInput("", "too_many_rules", { max: MAX_RULES });
  return {
    code: input.map(({ code }) => code),
    name: input.map(({ name }) => name),
    parent: input.map(({ parent = "" }) => parent),
    policy: input.map(({ policy = "" }) => policy),
    category: input.map(({ category = "" }) => category),
    treatment: lines.map((line) => line.find(({ policy }) => policy)?.policy ?? "loss"),
    loss: lines.map((line) => line.find(({ category }) => category)?.category ?? ""),
    rule_code: rules.map(({ of }) => of),
    rule_condition: rules.map(({ condition = "" }) => condition),
    rule_native: rules.map(({ code = "" }) => code),
    rule_machines: rules.map(({ machines = [] }) => machines),
  };
}

/** A reason and its parents, up to the root. */
function lineOf(reason: ReasonsInput[number], by_code: Map<string, ReasonsInput[number]>, path: string) {
  const line = [reason];
  for (let at = reason; at.parent !== undefined; ) {
    const parent = by_code.get(at.parent);
    if (!parent) throw badInput(path, "unknown_parent", { parent: at.parent });
    if (line.includes(parent)) throw badInput(path, "below_itself", { reason: reason.code });
    line.push((at = parent));
  }
  return line;
}

/** The tree as it was given. */
export function reasonsInput(reasons: Reasons): ReasonsInput {
  const of = (code: string): NonNullable<ReasonsInput[number]["automatic"]> =>
    reasons.rule_code.flatMap((one, i) => {
      const [condition, native, machines] = [
        reasons.rule_condition[i],
        reasons.rule_native[i],
        reasons.rule_machines[i],
      ];
      if (one !== code) return [];
      return [
        {
          ...(condition ? { condition } : {}),
          ...(native ? { code: native } : {}),
          ...(machines && machines.length > 0 ? { machines } : {}),
        },
      ];
    });
  return reasons.code.map((code, i) => {
    const [parent, policy, category] = [reasons.parent[i], reasons.policy[i], reasons.category[i]];
    const automatic = of(code);
    return {
      code,
      name: reasons.name[i] ?? "",
      ...(parent ? { parent } : {}),
      ...(policy ? { policy: policy as "loss" } : {}),
      ...(category ? { category: category as "other" } : {}),
      ...(automatic.length > 0 ? { automatic } : {}),
    };
  });
}
