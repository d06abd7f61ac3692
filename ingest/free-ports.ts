// Ports that nobody listens on now, for servers that take a number and not "any".

/** So many, each another one. */
export function freePorts(count: number, hostname = "127.0.0.1"): number[] {
  const held = Array.from({ length: count }, () => Bun.listen({ hostname, port: 0, socket: { data() {} } }));
  const ports = held.map(({ port }) => port);
  for (const one of held) one.stop(true);
  return ports;
}

export const freePort = (hostname?: string): number => freePorts(1, hostname)[0] as number;
