// One TCP connection to a Modbus device or gateway, one request at a time.
import { connect, type Socket } from "node:net";
import type ModbusRTU from "modbus-serial";
import { HostClock } from "../../clock.ts";
import { checkAddress, lookupChecked } from "../addresses.ts";
import { cut } from "../text.ts";
import type { ReadFunction } from "./blocks.ts";

export type Address = { host: string; port: number };

/**
 * Why a read gave nothing. `refused`: the unit is there but has no such address or function; `failed`: it, or the
 * gateway before it, has trouble; `silent`: nothing within the time-out, as from a unit that is not there; `broken`: the
 * connection is gone, or what comes over it is not Modbus.
 */
export class ReadError extends Error {
  override readonly name = "ReadError";
  readonly kind: "refused" | "failed" | "silent" | "broken";
  constructor(kind: ReadError["kind"], message: string) {
    // Some of its words are the device's, or a library's.
    super(cut(message));
    this.kind = kind;
  }
}

/** Exceptions that say no: illegal function, address, value (Modbus Application Protocol 1.1b3, 7). */
const REFUSALS = new Set([1, 2, 3]);

export type Answer = { bits: (boolean | number)[]; bytes: Buffer; ts_us: number };

export class ModbusConnection {
  /** What says when an answer came. */
  readonly clock: HostClock;
  readonly #client: ModbusRTU;
  readonly #socket: Socket;
  /** Ends the request under way when the connection does: modbus-serial would wait for its time-out. */
  #hung_up: (error: Error) => void = () => undefined;
  /** Units that answered on this connection. */
  readonly #heard = new Set<number>();
  #open = true;

  private constructor(client: ModbusRTU, socket: Socket, timeout_ms: number, clock: HostClock) {
    this.clock = clock;
    this.#client = client;
    this.#socket = socket;
    this.#client.setTimeout(timeout_ms);
    // A socket that breaks between two reads fails the next one; nobody else needs to hear of it.
    this.#client.on("error", () => undefined);
    socket.on("error", () => undefined);
    socket.once("close", () => {
      this.#open = false;
      this.#hung_up(new ReadError("broken", "the device closed the connection"));
    });
  }

  /** @throws Error where nobody answers within `timeout_ms` */
  static async open(
    address: Address,
    timeout_ms: number,
    clock = new HostClock(),
  ): Promise<ModbusConnection> {
    checkAddress(address.host);
    // With the first module: it brings serial lines along, and most starts have none.
    const { default: Client } = await import("modbus-serial");
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const socket = connect({ ...address, lookup: lookupChecked, noDelay: true, keepAlive: true });
    const timer = setTimeout(() => reject(new Error(`no connection within ${timeout_ms} ms`)), timeout_ms);
    socket.once("connect", resolve).once("error", reject);
    try {
      await promise;
      const connection = new ModbusConnection(new Client(), socket, timeout_ms, clock);
      await connection.#client.linkTCP(socket, address);
      return connection;
    } catch (error) {
      socket.destroy();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  get open(): boolean {
    return this.#open;
  }

  /**
   * Nothing came: is it the unit that is missing, or the connection that is dead without having said so? A unit that
   * answered before on this connection, or a connection on which nobody ever did, speaks for the latter.
   */
  mayBeDead(unit: number): boolean {
    return this.#heard.size === 0 || this.#heard.has(unit);
  }

  /** Reads one stretch. @throws ReadError */
  async read(unit: number, fc: ReadFunction, address: number, length: number): Promise<Answer> {
    if (!this.#open) throw new ReadError("broken", "the device closed the connection");
    const { promise, resolve, reject } = Promise.withResolvers<{
      data: (boolean | number)[];
      buffer: Buffer;
    }>();
    this.#hung_up = reject;
    const asked_ms = this.clock.now_ms();
    this.#client.setID(unit);
    this.#client[fc](address, length).then(resolve, (error: unknown) => reject(this.#explain(error, unit)));
    const { data, buffer } = await promise;
    this.#heard.add(unit);
    return { bits: data, bytes: buffer, ts_us: Math.round((asked_ms + this.clock.now_ms()) * 500) };
  }

  close(): void {
    this.#open = false;
    this.#socket.destroy();
  }

  /** modbus-serial rejects with errors of its own kind, some of which are no `Error`. */
  #explain(error: unknown, unit: number): ReadError {
    const {
      modbusCode: code,
      name,
      message = String(error),
    } = error as Partial<Error> & { modbusCode?: number };
    if (name === "TransactionTimedOutError") return new ReadError("silent", `unit ${unit} does not answer`);
    if (code === undefined) return new ReadError("broken", message);
    this.#heard.add(unit);
    return new ReadError(REFUSALS.has(code) ? "refused" : "failed", message);
  }
}
