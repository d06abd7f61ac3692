// A peer: another store for the same observations, started by the bench on loopback and stopped by its id.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { freePorts } from "../../ingest/free-ports.ts";
import type { FormatName } from "../lib/formats.ts";
import { stopProcess } from "../lib/process.ts";

export type Peer = {
  name: string;
  format: FormatName;
  /** When it writes to the disk, and what else must be known to read its figure. */
  note: string;
  package: string;
  binary: string;
  /** Its arguments, for a data directory and free ports. */
  args(dir: string, ports: [number, number]): string[] | Promise<string[]>;
  /** Answers 2xx once it is ready. */
  ready: string;
  /** Called once it is ready. */
  prepare?(origin: string): Promise<void>;
  /** Resolves once everything it acknowledged can be queried; without it that is at once. */
  settle?(origin: string): Promise<void>;
  /** How many of the observations it keeps are there; words where it keeps them. */
  count(origin: string): Promise<number>;
  keeps_words: boolean;
};

const READY_WITHIN_MS = 20_000;

/** Starts the peer for `use`, on data of its own, and takes both away afterwards. */
export async function withPeer<T>(
  peer: Peer,
  binary: string,
  use: (origin: string) => Promise<T>,
): Promise<T> {
  const dir = mkdtempSync(`${tmpdir()}/mtc-bench-${peer.name}-`);
  const ports = freePorts(2) as [number, number];
  const args = await peer.args(dir, ports);
  const child = Bun.spawn([binary, ...args], { stdin: "ignore", stdout: "ignore", stderr: "ignore" });
  const origin = `http://127.0.0.1:${ports[0]}`;
  try {
    await ready(child, origin + peer.ready);
    await peer.prepare?.(origin);
    return await use(origin);
  } finally {
    await stopProcess(child);
    rmSync(dir, { recursive: true, force: true });
  }
}

async function ready(child: Bun.Subprocess, url: string): Promise<void> {
  const end = performance.now() + READY_WITHIN_MS;
  while (performance.now() < end) {
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`);
    // It refuses connections until it listens.
    const response = await fetch(url).catch(() => undefined);
    if (response?.ok) return;
    await Bun.sleep(50);
  }
  throw new Error(`${url} was not ready within ${READY_WITHIN_MS} ms`);
}
