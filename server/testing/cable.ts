// For tests: a TCP cable to a port of loopback, which can be pulled and put back.
import { createServer, connect as open, type Socket } from "node:net";

export type Cable = {
  port: number;
  /** What is open breaks, and nobody can connect: as a host that is not there. */
  pull(): Promise<void>;
  putBack(): Promise<void>;
};

/**
 * @param to_port of 127.0.0.1
 * @param hostname where it listens
 * @param port left out: one that is free
 */
export async function cable(to_port: number, hostname = "127.0.0.1", port = 0): Promise<Cable> {
  const sockets = new Set<Socket>();
  const keep = (socket: Socket, other: Socket): void => {
    sockets.add(socket);
    socket.pipe(other);
    socket.on("error", () => other.destroy());
    socket.on("close", () => {
      sockets.delete(socket);
      other.destroy();
    });
  };
  const listener = createServer((near) => {
    const far = open(to_port, "127.0.0.1");
    keep(near, far);
    keep(far, near);
  });
  const listen = (at: number) =>
    new Promise<void>((resolve, reject) => {
      listener.once("error", reject).listen(at, hostname, resolve);
    });
  await listen(port);
  const address = listener.address();
  if (address === null || typeof address === "string") throw new Error("a cable needs a port");
  return {
    port: address.port,
    async pull() {
      const closed = new Promise((resolve) => listener.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
    putBack: () => listen(address.port),
  };
}
