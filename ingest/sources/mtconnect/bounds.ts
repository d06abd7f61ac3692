// What one document of an agent may have (SPEC 16.1): looked at while its bytes are read, before anything is made of them.

export const MAX_DOCUMENT_BYTES = 64 * 1024 * 1024;
/** Of all agents' answers that are too long to be read at once, together; further ones wait. The longest has room. */
export const MAX_ANSWERS_BYTES = MAX_DOCUMENT_BYTES;
export const MAX_DEPTH = 64;
/** Of one element. */
export const MAX_ATTRIBUTES = 64;
export const MAX_ELEMENTS = 250_000;
/** Of a tree: each is a string and its name. */
export const MAX_TREE_ATTRIBUTES = 1_000_000;
/** Members and items of a JSON document, and how deep its brackets are nested: several for each element. */
export const MAX_JSON_VALUES = 2_000_000;
export const MAX_JSON_DEPTH = 256;
/** A text, or an attribute's value, is cut there. */
export const MAX_TEXT_BYTES = 256 * 1024;
/** A longer text is no number. */
export const MAX_NUMBER_BYTES = 1_000;
/** Values that a Streams document tells: observations, those within a time series, entries of sets and cells of tables. */
export const MAX_VALUES = 100_000;
/** Data items of all devices. */
export const MAX_DATA_ITEMS = 50_000;
/** More assets than an agent is set up to hold. */
export const MAX_ASSETS = 10_000;
/** Errors that an agent may give at once; further ones are left out. */
export const MAX_ERRORS = 10;
/** Condition codes that are in force of one data item, and data items whose conditions or sets are followed of a device. */
export const MAX_CODES = 100;
export const MAX_FOLLOWED = 20_000;
/** A larger asset is recorded without its document. */
export const MAX_ASSET_BYTES = 256 * 1024;
/** What may be read at once on the event loop; whatever is longer, and all that is no stream, is read in a thread of its own. */
export const MAX_INLINE_BYTES = 2 * 1024 * 1024;
