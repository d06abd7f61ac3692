// A rebuild of the real program's analytics (SPEC 14.3); `rebuild.acceptance.long.test.ts` has more bulk, kills, and damage.
import { rebuilding } from "./testing/rebuilding.ts";

rebuilding({ batches: 3, asks: [{}], kill_at: [], mended_while: [] });
