// Every page of the program in a real browser, in every look.
import { afterAll } from "bun:test";
import { everyScreen, type Plant, startPlant } from "./testing/every-screen.ts";
import { discard } from "./testing/server.ts";

let plant: Plant | undefined;

everyScreen(
  () => true,
  async () => (plant = await startPlant()),
);

afterAll(async () => {
  await plant?.browser.close();
  await discard(plant?.server);
});
