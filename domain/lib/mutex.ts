// Mutual exclusion: work that must not run while other work of its kind does.

/** Runs each work when the one before it has ended, well or badly; resolves or rejects as the work does. */
export type Mutex = <T>(work: () => Promise<T>) => Promise<T>;

export function mutex(): Mutex {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const done = last.then(work);
    last = done.catch(() => undefined);
    return done;
  };
}
