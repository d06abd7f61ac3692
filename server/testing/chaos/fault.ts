// For tests: what a fault of a chaos run is, whatever it is done to.

/** 0 ≤ n < 1, the same for the same seed. */
export type Random = () => number;

/** What is done to a plant, once for each call; two of different names may overlap. */
export type Fault<Plant> = {
  name: string;
  /** How often it comes where the others come once; once where nothing is said. */
  times?: number;
  /** What it needs and is not there. */
  lacks?(plant: Plant): string | undefined;
  /**
   * @returns when its cause was over, ms of `performance.now`: recovery is timed from there
   * @throws where the program did what it must not do
   */
  run(plant: Plant, random: Random): Promise<number>;
};

/** A time between both, ms. */
export const between_ms = (random: Random, from_ms: number, to_ms: number): number =>
  from_ms + random() * (to_ms - from_ms);

/** @throws with what was found, where it is not so */
export function must(holds: boolean, words: string): void {
  if (!holds) throw new Error(words);
}
