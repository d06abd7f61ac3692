// Every page of the program in a real browser, each in one look, in turn; `screens.long.test.ts` has each in all of them.
import { everyScreen, LOOKS } from "./testing/every-screen.ts";

const looks = Object.keys(LOOKS);
everyScreen((look, page) => looks.indexOf(look) === page % looks.length);
