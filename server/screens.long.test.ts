// Every page of the program in a real browser, in every look.
import { everyScreen } from "./testing/every-screen.ts";

everyScreen(() => true);
