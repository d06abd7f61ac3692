// What every test file starts with: the limit of a test that has none of its own.
import { setDefaultTimeout } from "bun:test";
import { limit_ms } from "./limits.ts";

/** On a quiet machine: it ends what hangs. A cluster takes its time to start, and its answers are a hop further away. */
const TEST_S = process.env.TEST_PROFILE === "cluster" ? 600 : 300;

setDefaultTimeout(limit_ms(TEST_S));
