// A simulated ADAM-6050 on a real Modbus/TCP port: 12 inputs, 6 outputs, and a 32-bit counter behind each input.
import { freePort } from "../../free-ports.ts";

const INPUTS = 12;
const OUTPUTS = 6;
const FIRST_OUTPUT = 16;
const ILLEGAL_DATA_ADDRESS = 2;

export type Adam6050 = {
  readonly host: string;
  readonly port: number;
  readonly unit: number;
  setInput(input: number, on: boolean): void;
  /** @param value taken modulo 2³² */
  setCounter(input: number, value: number): void;
  /** An output, as a master last wrote it. */
  output(output: number): boolean;
  stop(): Promise<void>;
};

/**
 * Starts the module. Inputs are coils 0–11 (also discrete inputs), outputs coils 16–21; counter n is in the
 * holding (also input) registers 2n and 2n+1, low word first, as Advantech's manual lists them. Other addresses
 * give exception 2; another unit id gets no answer at all.
 * @param options without `port` any free one is taken; `unit` is 1 without it; `onRead` hears of each value read
 */
export async function startAdam6050(
  options: {
    port?: number;
    host?: string;
    unit?: number;
    onRead?: (what: "bits" | "registers") => void;
  } = {},
): Promise<Adam6050> {
  const { host = "127.0.0.1", unit = 1, onRead } = options;
  const { ServerTCP } = await import("modbus-serial");
  // modbus-serial takes port 0 for 502.
  const port = options.port || freePort(host);
  const inputs = new Uint8Array(INPUTS);
  const outputs = new Uint8Array(OUTPUTS);
  const counters = new Uint32Array(INPUTS);
  const getCoil = (address: number): boolean => {
    onRead?.("bits");
    if (address >= FIRST_OUTPUT + OUTPUTS) throw illegalAddress(address);
    // The four addresses between inputs and outputs read as off, so that a master may read past the inputs.
    return (address < FIRST_OUTPUT ? inputs[address] : outputs[address - FIRST_OUTPUT]) === 1;
  };
  const getRegister = (address: number): number => {
    onRead?.("registers");
    const counter = counters[address >> 1];
    if (counter === undefined) throw illegalAddress(address);
    return address % 2 === 0 ? counter & 0xffff : counter >>> 16;
  };
  const setCoil = (address: number, on: boolean): void => {
    const output = address - FIRST_OUTPUT;
    if (output < 0 || output >= OUTPUTS) throw illegalAddress(address);
    outputs[output] = on ? 1 : 0;
  };
  const server = new ServerTCP(
    {
      getCoil,
      getDiscreteInput: getCoil,
      getHoldingRegister: getRegister,
      getInputRegister: getRegister,
      setCoil,
    },
    { host, port, unitID: unit },
  );
  await new Promise<void>((resolve, reject) => {
    server.on("initialized", () => resolve());
    server.on("serverError", reject);
  });
  return {
    host,
    port,
    unit,
    setInput: (input, on) => {
      inputs[input] = on ? 1 : 0;
    },
    setCounter: (input, value) => {
      counters[input] = value;
    },
    output: (output) => outputs[output] === 1,
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** An error that modbus-serial turns into the exception of that code. */
const illegalAddress = (address: number): Error =>
  Object.assign(new Error(`no address ${address}`), { modbusErrorCode: ILLEGAL_DATA_ADDRESS });
