// For tests: a second host, as a network namespace with one wire to this one, which can be cut. Needs root and iproute2.
const PREFIX = "mtct";

/** Whether namespaces can be made here. */
export const hasNamespaces: boolean = ((): boolean => {
  if (process.getuid?.() !== 0 || Bun.which("ip") === null) return false;
  const name = `${PREFIX}try${process.pid % 10_000}`;
  const made = Bun.spawnSync(["ip", "netns", "add", name]).success;
  if (made) Bun.spawnSync(["ip", "netns", "delete", name]);
  return made;
})();

export type OtherHost = {
  /** This host, as the other one sees it. */
  address: string;
  /** What goes before a command for it to run there. */
  exec: string[];
  /** Lets what listens on this host's loopback be reached from there. @returns the address and port */
  forward(port: number): string;
  /** Nothing comes through in either direction, and nobody is told. */
  cut(): void;
  mend(): void;
  stop(): void;
};

export function makeOtherHost(): OtherHost {
  const id = process.pid % 10_000;
  const [name, here, there] = [`${PREFIX}${id}`, `${PREFIX}${id}a`, `${PREFIX}${id}b`];
  const net = `10.${200 + (id % 50)}.${Math.floor(id / 50) % 250}`;
  const address = `${net}.1`;
  ip("netns", "add", name);
  ip("link", "add", here, "type", "veth", "peer", "name", there, "netns", name);
  ip("addr", "add", `${address}/24`, "dev", here);
  ip("link", "set", here, "up");
  ip("-n", name, "addr", "add", `${net}.2/24`, "dev", there);
  ip("-n", name, "link", "set", there, "up");
  ip("-n", name, "link", "set", "lo", "up");
  const forwarders: { stop(): void }[] = [];
  const forwarded = new Set<number>();
  return {
    address,
    exec: ["ip", "netns", "exec", name],
    forward(port) {
      if (!forwarded.has(port)) forwarders.push(forwarder(address, port));
      forwarded.add(port);
      return `${address}:${port}`;
    },
    cut: () => ip("-n", name, "link", "set", there, "down"),
    mend() {
      ip("-n", name, "link", "set", there, "up");
    },
    stop() {
      for (const one of forwarders) one.stop();
      ip("netns", "delete", name);
    },
  };
}

function ip(...args: string[]): void {
  const { success, stderr } = Bun.spawnSync(["ip", ...args]);
  if (!success) throw new Error(`ip ${args.join(" ")}: ${stderr.toString()}`);
}

type Piped = { to: Bun.Socket<Piped> | undefined; waiting: Uint8Array[] };

/** From the wire's address to the same port of loopback. */
function forwarder(address: string, port: number): { stop(): void } {
  const write = (socket: Bun.Socket<Piped>, bytes: Uint8Array): void => {
    const { waiting } = socket.data;
    if (waiting.length > 0) return void waiting.push(bytes);
    const sent = Math.max(0, socket.write(bytes));
    if (sent < bytes.length) waiting.push(bytes.slice(sent));
  };
  const drain = (socket: Bun.Socket<Piped>): void => {
    const { waiting } = socket.data;
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const sent = Math.max(0, socket.write(next));
      if (sent < next.length) return void waiting.unshift(next.slice(sent));
    }
  };
  const passing: Bun.SocketHandler<Piped> = {
    data(socket, bytes) {
      const { to } = socket.data;
      // What comes before the other side is open waits with this one.
      if (to) write(to, Uint8Array.from(bytes));
    },
    drain,
    close: (socket) => void socket.data.to?.end(),
    error: (socket) => void socket.end(),
  };
  const listener = Bun.listen<Piped>({
    hostname: address,
    port,
    socket: {
      ...passing,
      open(socket) {
        socket.data = { to: undefined, waiting: [] };
        socket.pause();
        Bun.connect<Piped>({
          hostname: "127.0.0.1",
          port,
          data: { to: socket, waiting: [] },
          socket: passing,
        }).then(
          (to) => {
            socket.data.to = to;
            socket.resume();
          },
          () => socket.end(),
        );
      },
    },
  });
  return { stop: () => listener.stop(true) };
}
