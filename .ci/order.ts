// Which long tests are run first, where there is no time for all of them.

/**
 * Those that the change touches, then the others; both begin elsewhere with each commit, so that in time all are run.
 * @param turn of the commit, any whole number ≥ 0
 */
export function inTurn<T>(all: readonly T[], isTouched: (one: T) => boolean, turn: number): T[] {
  const { touched = [], other = [] } = Object.groupBy(all, (one) => (isTouched(one) ? "touched" : "other"));
  return [touched, other].flatMap((some) => {
    const first = turn % Math.max(1, some.length);
    return [...some.slice(first), ...some.slice(0, first)];
  });
}
