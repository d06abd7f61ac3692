// For tests: a second host, as a network namespace with one wire to this one, which can be cut. Needs root and iproute2.
import { type Cable, cable } from "./cable.ts";

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
  forward(port: number): Promise<string>;
  /** Nothing comes through in either direction, and nobody is told. */
  cut(): void;
  mend(): void;
  stop(): Promise<void>;
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
  const cables = new Map<number, Promise<Cable>>();
  return {
    address,
    exec: ["ip", "netns", "exec", name],
    async forward(port) {
      const made = cables.get(port) ?? cable(port, address, port);
      cables.set(port, made);
      await made;
      return `${address}:${port}`;
    },
    cut: () => ip("-n", name, "link", "set", there, "down"),
    mend() {
      ip("-n", name, "link", "set", there, "up");
    },
    async stop() {
      for (const one of cables.values()) await (await one).pull();
      ip("netns", "delete", name);
    },
  };
}

function ip(...args: string[]): void {
  const { success, stderr } = Bun.spawnSync(["ip", ...args]);
  if (!success) throw new Error(`ip ${args.join(" ")}: ${stderr.toString()}`);
}
