// Chance that repeats: a small generator seeded by a text.

export type Random = {
  /** Uniform in [from, to). */
  between(from: number, to: number): number;
  chance(probability: number): boolean;
  /** Exponential with this mean, at most four times it. */
  about(mean: number): number;
};

/** The same seed gives the same sequence (mulberry32 over an FNV-1a hash of the text). */
export function random(seed: string): Random {
  let state = hash(seed);
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
  return {
    between: (from, to) => from + (to - from) * next(),
    chance: (probability) => next() < probability,
    about: (mean) => Math.min(4 * mean, -mean * Math.log(1 - next())),
  };
}

/** FNV-1a, 32 bits. */
export function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return h >>> 0;
}

/** A number in [-1, 1) that belongs to (seed, tick): noise that needs no state. */
export function noise(seed: number, tick: number): number {
  let t = Math.imul(seed ^ (tick | 0), 0x9e3779b1);
  t = Math.imul(t ^ (t >>> 15), 0x85ebca6b);
  return ((t ^ (t >>> 13)) >>> 0) / 2_147_483_648 - 1;
}
