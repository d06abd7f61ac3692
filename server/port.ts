// Where the program listens: at a port of its own, or not at all.
import { type Config, ConfigError } from "./config.ts";

type Where = { hostname: string; port: number; reusePort: false };

/**
 * Listens there, alone: two servers that share a port would each get some of the requests, and say nothing of it.
 * @throws ConfigError where the port is taken, or the address is not this host's
 */
export function listening<T>({ host, port }: Pick<Config, "host" | "port">, listen: (where: Where) => T): T {
  try {
    return listen({ hostname: host, port, reusePort: false });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "EADDRINUSE") {
      throw new ConfigError(
        `MTC_PORT=${port}: another running program listens at ${host}:${port}; stop it, or choose another port`,
      );
    }
    throw new ConfigError(`MTC_HOST=${host}, MTC_PORT=${port}: nobody can listen there: ${message}`);
  }
}

/** The same before anything else is begun: who is refused has touched nothing. @throws ConfigError */
export function refuseTakenPort(config: Pick<Config, "host" | "port">): void {
  if (config.port === 0) return;
  const probe = listening(config, (where) => Bun.serve({ ...where, fetch: () => new Response() }));
  void probe.stop(true);
}
