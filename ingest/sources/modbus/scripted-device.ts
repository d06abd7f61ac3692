// For tests: a Modbus/TCP device or gateway on a real port that does what a script says, faults included.
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";

export type Request = { unit: number; fc: number; address: number; length: number };
/** The answer's exception code; `silence` for none at all. */
export type Fault = number | "silence";

const ILLEGAL_ADDRESS = 2;
const SIZE = 64;

/** Coils (inputs read the same) and registers (input registers read the same) of one unit. */
export class Unit {
  readonly coils: boolean[] = Array.from({ length: SIZE }, () => false);
  readonly registers: number[] = Array.from({ length: SIZE }, () => 0);
}

export class ScriptedDevice {
  readonly units = new Map<number, Unit>([[1, new Unit()]]);
  readonly requests: Request[] = [];
  port = 0;
  /** How often somebody connected. */
  connects = 0;
  /** What to do with a request instead of answering it. */
  fault: (request: Request) => Fault | undefined = () => undefined;
  delay_ms = 0;
  /** Closes the connection after every answer, as modules with an idle time-out do. */
  hangs_up = false;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;

  static async start(): Promise<ScriptedDevice> {
    const device = new ScriptedDevice();
    await device.on();
    return device;
  }

  get coils(): boolean[] {
    return (this.units.get(1) as Unit).coils;
  }
  get registers(): number[] {
    return (this.units.get(1) as Unit).registers;
  }
  get connections(): number {
    return this.#sockets.size;
  }

  /** Switches it on, at the port it had before. */
  async on(): Promise<void> {
    const server = createServer((socket) => this.#serve(socket)).listen(this.port, "127.0.0.1");
    await new Promise<void>((resolve, reject) => server.once("listening", resolve).once("error", reject));
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
  }

  /** Switches it off: connections break, new ones are refused. */
  async off(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    this.cut();
    if (server) await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  /** Breaks all connections. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  stop(): Promise<void> {
    return this.off();
  }

  #serve(socket: Socket): void {
    this.connects += 1;
    this.#sockets.add(socket);
    socket.on("error", () => undefined).on("close", () => this.#sockets.delete(socket));
    let pending = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => {
      pending = Buffer.concat([pending, chunk]);
      while (pending.length >= 12) {
        const frame = pending.subarray(0, 12);
        pending = pending.subarray(12);
        setTimeout(() => this.#answer(socket, frame), this.delay_ms);
      }
    });
  }

  /** MBAP header, unit, function code and data (Modbus Messaging on TCP/IP 1.0b, 3.1). */
  #answer(socket: Socket, frame: Buffer): void {
    const request = {
      unit: frame.readUInt8(6),
      fc: frame.readUInt8(7),
      address: frame.readUInt16BE(8),
      length: frame.readUInt16BE(10),
    };
    this.requests.push(request);
    const unit = this.units.get(request.unit);
    const beyond = request.address + request.length > SIZE ? ILLEGAL_ADDRESS : undefined;
    const fault = this.fault(request) ?? (unit ? beyond : "silence");
    if (fault === "silence" || !unit) return;
    const pdu =
      fault === undefined
        ? Buffer.concat([Buffer.from([request.fc]), dataOf(unit, request)])
        : Buffer.from([request.fc | 0x80, fault]);
    const header = Buffer.alloc(7);
    frame.copy(header, 0, 0, 4);
    header.writeUInt16BE(pdu.length + 1, 4);
    header.writeUInt8(request.unit, 6);
    socket.write(Buffer.concat([header, pdu]));
    if (this.hangs_up) socket.end();
  }
}

function dataOf(unit: Unit, { fc, address, length }: Request): Buffer {
  if (fc <= 2) {
    const bits = Buffer.alloc(1 + Math.ceil(length / 8), 0);
    bits.writeUInt8(bits.length - 1);
    for (let i = 0; i < length; i++) {
      if (unit.coils[address + i]) bits[1 + (i >> 3)] = (bits[1 + (i >> 3)] ?? 0) | (1 << (i & 7));
    }
    return bits;
  }
  const registers = Buffer.alloc(1 + 2 * length);
  registers.writeUInt8(2 * length);
  for (let i = 0; i < length; i++) registers.writeUInt16BE(unit.registers[address + i] ?? 0, 1 + 2 * i);
  return registers;
}
