// What every test file starts with: the limit of a test that has none of its own.
import { setDefaultTimeout } from "bun:test";
import { LEAST_S, limit_ms } from "./limits.ts";

/** A cluster takes its time to start, and its answers are a hop further away. */
setDefaultTimeout(limit_ms(process.env.TEST_PROFILE === "cluster" ? 2 * LEAST_S : LEAST_S));
