// A command's end: its exit code, and one line for what is wrong.

/**
 * Runs a command of the command line and ends the process: with its code, 0 where it has none, and 1 for an error, whose
 * message is all that is told, and for whoever stops it.
 */
export function runCommand(main: () => Promise<unknown>): void {
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
  main()
    .then((code) => process.exit(typeof code === "number" ? code : 0))
    .catch((error: Error) => {
      console.error(error.message);
      process.exit(1);
    });
}
