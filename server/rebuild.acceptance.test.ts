// A rebuild of the real program's analytics (SPEC 14.3), killed once; `rebuild.long.test.ts` has more bulk, and each kill.
import { rebuilding } from "./testing/rebuilding.ts";

rebuilding({ batches: 3, asks: [{}], kill_at: ["swapping"] });
