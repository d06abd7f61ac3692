// For tests: a cable between a collector and its agent that can be pulled, cut and made slow.
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

export class Wire {
  /** Nothing comes through and nobody is told: a pulled cable. */
  pulled = false;
  /** Answers come in pieces of so many bytes, one every ms; 0 is as they come. */
  piece_bytes = 0;
  /** Each connection is closed after so many bytes of answer. */
  cut_after_bytes = Number.POSITIVE_INFINITY;
  /** How often somebody connected. */
  connections = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #timers = new Set<Timer>();

  private constructor(target_port: number) {
    this.#server = createServer((near) => {
      this.connections += 1;
      const far = connect(target_port, "127.0.0.1");
      for (const socket of [near, far]) {
        this.#sockets.add(socket);
        socket.on("error", () => undefined);
        socket.on("close", () => this.#sockets.delete(socket));
      }
      let sent_bytes = 0;
      near.on("data", (bytes) => this.pulled || far.write(bytes));
      far.on("data", (bytes: Buffer) => {
        if (this.pulled) return;
        const left = Math.max(0, this.cut_after_bytes - sent_bytes);
        sent_bytes += bytes.length;
        if (this.piece_bytes > 0) this.#dribble(near, bytes);
        else if (left > 0) near.write(bytes.subarray(0, left));
        if (bytes.length >= left) near.end();
      });
      near.on("close", () => this.pulled || far.destroy());
      far.on("close", () => this.pulled || this.piece_bytes > 0 || near.end());
    });
    this.#server.listen(0, "127.0.0.1");
  }

  /** @param target_url the agent's address on this machine */
  static async to(target_url: string): Promise<Wire> {
    const wire = new Wire(Number(new URL(target_url).port));
    if (!wire.#server.listening) await new Promise((resolve) => wire.#server.once("listening", resolve));
    return wire;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #dribble(near: Socket, bytes: Buffer): void {
    let at = 0;
    const timer = setInterval(() => {
      if (at >= bytes.length) clearInterval(timer);
      else if (!this.pulled) near.write(bytes.subarray(at, at + this.piece_bytes));
      at += this.piece_bytes;
    }, 1);
    this.#timers.add(timer);
  }
}
