// What the users' API takes.
import { Type } from "@sinclair/typebox";
import { ROLES } from "../../../ingest/store/store.ts";
import { MIN_PASSWORD_LENGTH } from "../../users.ts";

const strict = { additionalProperties: false };
/** Control characters, line breaks, what turns the direction of writing, and what has no width. */
const UNSEEN = "\\u0000-\\u001f\\u007f-\\u009f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u2069\\ufeff";
/** Shown in headers and lists: nothing in it that breaks a line or turns the writing round. */
const Name = Type.String({ minLength: 1, maxLength: 100, pattern: `^[^${UNSEEN}]+$` });
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
