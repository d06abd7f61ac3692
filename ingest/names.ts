// Names that people read: one line of characters that are seen, written in one direction.
import { type StringOptions, Type } from "@sinclair/typebox";

/** Control characters, line breaks, what turns the direction of writing, and what has no width. */
const UNSEEN = "\\u0000-\\u001f\\u007f-\\u009f\\u061c\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u2069\\ufeff";

/** A name as the API takes it: shown in lists, logs and headers, where nothing in it may break a line or turn it round. */
export const Shown = (options: StringOptions = {}) => Type.String({ ...options, pattern: `^[^${UNSEEN}]*$` });
