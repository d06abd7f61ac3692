// A TCP line in front of a simulator that can be made to fail: cut, reset, silent, slow, torn, lying, dead.
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** Hears what passes on one connection. */
export type Tap = {
  asked(bytes: Uint8Array): void;
  /** Called with what is about to be passed on: the client may or may not come to have it. */
  offered(bytes: Uint8Array): void;
  /** Called once the bytes have left for the client. */
  answered(bytes: Uint8Array): void;
};

export type LineOptions = {
  /** Where the simulator listens. */
  to: { host: string; port: number };
  /** Where clients connect; without `port` any free one. */
  host?: string;
  port?: number;
  tap?: () => Tap;
};

/** Of what passes after a lie nobody can say whether the client takes it. */
type Connection = { client: Socket; server: Socket; tap: Tap | undefined; is_doubtful: boolean };

/** What a slowed line lets through at once, and how often. */
const DRIBBLE_MS = 50;

export class Line {
  readonly host: string;
  readonly #to: LineOptions["to"];
  readonly #tap: LineOptions["tap"];
  readonly #connections = new Set<Connection>();
  #listener: Server | undefined;
  #port: number;
  /** Nothing passes until then (performance.now()). */
  #silent_until_ms = 0;
  #held: Promise<unknown> | undefined;
  #slow_until_ms = 0;
  #slow_bytes = Number.POSITIVE_INFINITY;
  #tear_until_ms = 0;
  #lie_until_ms = 0;

  private constructor({ to, host = "127.0.0.1", port = 0, tap }: LineOptions) {
    this.host = host;
    this.#to = to;
    this.#port = port;
    this.#tap = tap;
  }

  static async open(options: LineOptions): Promise<Line> {
    const line = new Line(options);
    await line.#listen();
    return line;
  }

  get port(): number {
    return this.#port;
  }

  /** Ends every connection: by FIN after what was sent, or at once by RST, which may cost what is on its way. */
  cut(how: "fin" | "rst"): void {
    for (const { client, server } of this.#connections) {
      server.destroy();
      if (how === "fin") client.end();
      else client.resetAndDestroy();
    }
  }

  /** Connections stay, and new ones are taken, but for so long nothing passes. */
  silence(duration_ms: number): void {
    this.#silent_until_ms = Math.max(this.#silent_until_ms, performance.now() + duration_ms);
  }

  /** What clients ask before then the simulator hears only then. */
  hold(until: Promise<unknown>): void {
    this.#held = until;
  }

  /** For so long only a trickle passes. */
  dribble(duration_ms: number, bytes_per_s: number): void {
    this.#slow_until_ms = performance.now() + duration_ms;
    this.#slow_bytes = Math.max(1, Math.round((bytes_per_s * DRIBBLE_MS) / 1000));
  }

  /** Of what passes next towards a client, if it does soon, only half does; then the connection ends. */
  tear(within_ms: number): void {
    this.#tear_until_ms = performance.now() + within_ms;
  }

  /** The next Content-length towards a client, if it comes soon, is wrong. */
  lie(within_ms: number): void {
    this.#lie_until_ms = performance.now() + within_ms;
  }

  /** The cable is pulled for so long. */
  async dead(duration_ms: number): Promise<void> {
    if (!(await this.unplug())) return;
    await Bun.sleep(duration_ms);
    await this.plugIn();
  }

  /** The cable is pulled: every connection is reset, and none is taken. @returns whether it was not pulled already */
  async unplug(): Promise<boolean> {
    const listener = this.#listener;
    if (!listener) return false;
    this.#listener = undefined;
    const closed = once(listener, "close");
    listener.close();
    this.cut("rst");
    await closed;
    return true;
  }

  /** Takes connections again, on the same port. */
  async plugIn(): Promise<void> {
    if (!this.#listener) await this.#listen();
  }

  async close(): Promise<void> {
    const listener = this.#listener;
    this.#listener = undefined;
    listener?.close();
    for (const { client, server } of this.#connections) {
      client.destroy();
      server.destroy();
    }
  }

  async #listen(): Promise<void> {
    const listener = createServer((client) => this.#connect(client));
    listener.listen(this.#port, this.host);
    await once(listener, "listening");
    this.#port = (listener.address() as AddressInfo).port;
    this.#listener = listener;
  }

  #connect(client: Socket): void {
    const server = connect(this.#to.port, this.#to.host);
    const connection: Connection = { client, server, tap: this.#tap?.(), is_doubtful: false };
    this.#connections.add(connection);
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      // A broken end is how lines fail; the other end learns it by its own end.
      one.on("error", () => undefined);
      one.on("close", () => {
        this.#connections.delete(connection);
        other.end();
      });
    }
    client.on("data", (bytes: Buffer) => {
      connection.tap?.asked(bytes);
      client.pause();
      void this.#ask(connection, bytes).then(() => client.resume());
    });
    server.on("data", (bytes: Buffer) => {
      server.pause();
      void this.#pass(connection, bytes).then(() => server.resume());
    });
  }

  async #ask({ server }: Connection, bytes: Uint8Array): Promise<void> {
    await this.#held;
    if (!server.destroyed) server.write(bytes);
  }

  /** Hands bytes on to the client, as the line's condition allows. */
  async #pass(connection: Connection, bytes: Uint8Array): Promise<void> {
    const { client, tap } = connection;
    tap?.offered(bytes);
    let rest = performance.now() < this.#lie_until_ms ? this.#falsified(bytes, connection) : bytes;
    while (rest.length > 0 && !client.destroyed) {
      const now_ms = performance.now();
      if (now_ms < this.#silent_until_ms) {
        await Bun.sleep(Math.min(DRIBBLE_MS, this.#silent_until_ms - now_ms));
        continue;
      }
      if (now_ms < this.#tear_until_ms) {
        this.#tear_until_ms = 0;
        client.end(rest.subarray(0, rest.length >> 1));
        return;
      }
      const slow = now_ms < this.#slow_until_ms;
      const piece = slow ? rest.subarray(0, this.#slow_bytes) : rest;
      await written(client, piece);
      if (!client.destroyed && !connection.is_doubtful) tap?.answered(piece);
      rest = rest.subarray(piece.length);
      if (slow) await Bun.sleep(DRIBBLE_MS);
    }
  }

  /** Another number of as many digits: the frame round it stays whole. */
  #falsified(bytes: Uint8Array, connection: Connection): Uint8Array {
    const text = Buffer.from(bytes).toString("latin1");
    const told = /content-length: (\d+)/i.exec(text)?.[1];
    if (told === undefined) return bytes;
    this.#lie_until_ms = 0;
    connection.is_doubtful = true;
    const digits = [...told];
    const place = digits.length > 2 ? digits.length - 2 : 0;
    digits[place] = String((Number(digits[place]) + 4) % 10);
    const false_text = text.replace(/(content-length: )\d+/i, `$1${digits.join("")}`);
    return Buffer.from(false_text, "latin1");
  }
}

/** Resolves once the bytes have been taken by the system, or the socket is gone. */
const written = (socket: Socket, bytes: Uint8Array): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      socket.off("close", done);
      resolve();
    };
    socket.once("close", done);
    socket.write(bytes, done);
  });
