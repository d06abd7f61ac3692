// How collectors wait between attempts to reach a source.
import type { BackoffOptions } from "../../domain/lib/backoff.ts";

export const SOURCE_BACKOFF: BackoffOptions = { first_ms: 500, max_ms: 30_000 };
