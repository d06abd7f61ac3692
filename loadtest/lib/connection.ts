// A keep-alive HTTP/1.1 connection with one request under way: as little CPU as a client can cost.
import type { Socket } from "bun";

export type Answer = { status: number; text: string };

/**
 * Requests are whole buffers, head and body; answers are taken as a status and a text. Nothing else of HTTP is here:
 * the server under test shares the machine with its load, and every cycle of a full client would be missing there.
 */
export class Connection {
  #socket: Socket<undefined> | undefined;
  #rest: Uint8Array = new Uint8Array();
  #received = "";
  #waiting: { resolve: (answer: Answer) => void; reject: (error: Error) => void } | undefined;

  static async open(origin: string): Promise<Connection> {
    const { hostname, port } = new URL(origin);
    const connection = new Connection();
    connection.#socket = await Bun.connect({
      hostname,
      port: Number(port),
      socket: {
        drain: () => connection.#flush(),
        data: (_, chunk) => connection.#take(chunk),
        close: () => connection.#fail(new Error("the server closed the connection")),
        error: (_, error) => connection.#fail(error),
      },
    });
    return connection;
  }

  /** @throws where the connection ends before the answer */
  send(request: Uint8Array): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#rest = request;
      this.#flush();
    });
  }

  close(): void {
    this.#waiting = undefined;
    this.#socket?.end();
  }

  #flush(): void {
    if (this.#rest.length === 0 || !this.#socket) return;
    this.#rest = this.#rest.subarray(this.#socket.write(this.#rest));
  }

  #take(chunk: Buffer): void {
    this.#received += chunk.toString("latin1");
    const end = this.#received.indexOf("\r\n\r\n");
    if (end < 0) return;
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(this.#received)?.[1] ?? 0);
    if (this.#received.length < end + 4 + length) return;
    const status = Number(this.#received.slice(9, 12));
    const text = this.#received.slice(end + 4, end + 4 + length);
    this.#received = this.#received.slice(end + 4 + length);
    this.#waiting?.resolve({ status, text });
  }

  #fail(error: Error): void {
    this.#waiting?.reject(error);
  }
}
