// The program killed now and then while clients post; `crash.long.test.ts` does it more often.
import { kills } from "./testing/kills.ts";

kills(3);
