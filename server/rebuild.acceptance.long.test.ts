// A rebuild of the real program's analytics (SPEC 14.3), killed in each of its phases, over half a million observations.
import { day, rebuilding } from "./testing/rebuilding.ts";

rebuilding({
  batches: 24,
  asks: [{}, { from: day(1), to: day(2) }],
  kill_at: ["replaying", "gathering", "catching up", "swapping"],
  mended_while: ["running", "stopped"],
});
