// Every attack that is known, all at once and for 20 minutes, at full rate; TEST_SOAK_S and TEST_SOAK_PER_S make it less.
import { attacksSoak } from "./testing/attacks-soak.ts";

attacksSoak({
  seconds: Number(process.env.TEST_SOAK_S ?? 1_200),
  observations_per_s: Number(process.env.TEST_SOAK_PER_S ?? 20_000),
});
