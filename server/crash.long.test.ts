// The program killed again and again while clients post.
import { kills } from "./testing/kills.ts";

kills(60);
