// What the users' API takes.
import { Type } from "@sinclair/typebox";
import { Shown } from "../../../ingest/names.ts";
import { ROLES } from "../../../ingest/store/store.ts";
import { MIN_PASSWORD_LENGTH } from "../../users.ts";

const strict = { additionalProperties: false };
const Name = Shown({ minLength: 1, maxLength: 100 });
/** Longer ones cost time for nothing. */
export const Password = Type.String({ minLength: MIN_PASSWORD_LENGTH, maxLength: 200 });
const Role = Type.Union(
  ROLES.map((role) => Type.Literal(role)),
  { description: "operator: reads and enters; manager: reads; admin: everything" },
);

export const NewUser = Type.Object({ name: Name, password: Password, role: Role }, strict);
export const UserPatch = Type.Object(
  {
    name: Type.Optional(Name),
    password: Type.Optional(Password),
    role: Type.Optional(Role),
    disabled: Type.Optional(Type.Boolean()),
  },
  { ...strict, minProperties: 1 },
);
