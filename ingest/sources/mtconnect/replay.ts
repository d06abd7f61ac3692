// For tests: recorded answers over a raw socket, byte for byte, cut where a test wants it.
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";

/** What to answer one request with: bytes as they were recorded. */
export type Answer = (path: string) => Uint8Array | undefined;

export class Replay {
  readonly requests: string[] = [];
  /** Connections stay open after their bytes: a pulled cable instead of a closed connection. */
  holds = false;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(answer: Answer) {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
      socket.on("error", () => undefined);
      let head = "";
      socket.on("data", (bytes: Buffer) => {
        head += bytes.toString("latin1");
        if (!head.includes("\r\n\r\n")) return;
        const path = /^GET (\S+) /.exec(head)?.[1] ?? "";
        head = "";
        this.requests.push(path);
        const recorded = answer(path);
        if (!recorded) socket.destroy();
        else if (this.holds) socket.write(recorded);
        else socket.end(recorded);
      });
    });
  }

  static async start(answer: Answer): Promise<Replay> {
    const replay = new Replay(answer);
    await new Promise<void>((resolve) => replay.#server.listen(0, "127.0.0.1", resolve));
    return replay;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
