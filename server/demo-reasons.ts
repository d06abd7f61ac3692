// The demo's tree of reasons: the one to start from, where some of its machines' alarms give the reason by themselves.
import type { ReasonsInput } from "../ingest/reasons.ts";
import { starterWords } from "../views/index.ts";
import { starterReasons } from "./modules/admin/starter-reasons.ts";

/** Native codes of the simulated controls: broken tools, servo errors. */
const ALARMS: Record<string, string[]> = { mechanical: ["EX1015", "256"], electrical: ["SV0411", "52"] };

export const DEMO_REASONS: ReasonsInput = starterReasons(starterWords("en")).map((reason) => {
  const codes = ALARMS[reason.code];
  return codes ? { ...reason, automatic: codes.map((code) => ({ code })) } : reason;
});
