// What every test file starts with: the limit of a test that has none of its own.
import { setDefaultTimeout } from "bun:test";
import { limit_ms } from "./limits.ts";

setDefaultTimeout(limit_ms());
