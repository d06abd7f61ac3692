// For tests: every fault that the embedded program is put through.
import type { Embedded } from "../embedded.ts";
import type { Fault } from "../fault.ts";
import { CLIENTS } from "./clients.ts";
import * as processes from "./processes.ts";
import { fullDisk, wrongClock } from "./surroundings.ts";

export const EMBEDDED_FAULTS: Fault<Embedded>[] = [
  ...Object.values(processes),
  fullDisk,
  wrongClock,
  ...CLIENTS,
];
