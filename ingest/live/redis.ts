// The way to Redis: a connection to say things on, one to hear on, made anew when they are lost, and one word in the log on both.
import { RedisClient } from "bun";
import type { Failing } from "../trouble.ts";

/** `lost`: it does not answer, and each replica goes by what it sees itself until it is back. */
export type RedisState = "connected" | "lost";

/** An answer that takes longer never comes: the connections are made anew. A first one has as long to come about. */
const SILENT_MS = 2_000;
/** A client does not say that it was cut off. */
const LOOK_MS = 100;

export class Redis {
  readonly #url: string;
  readonly #log: (message: string) => void;
  readonly #looking: Timer;
  readonly #since_ms = performance.now();
  #said_on: RedisClient;
  /** One that hears can say nothing: the protocol wants two. */
  #heard_on: RedisClient | undefined;
  #hearing: { channel: string; hear: (message: string) => void } | undefined;
  #told: RedisState | undefined;
  #lost: Failing | undefined;
  #stopped = false;

  /** @param url `redis://host:port` */
  constructor(url: string, log: (message: string) => void) {
    this.#url = url;
    this.#log = log;
    this.#said_on = this.#connect();
    this.#looking = setInterval(() => this.#tell(), LOOK_MS);
  }

  state(): RedisState {
    return this.#said_on.connected && this.#heard_on?.connected !== false ? "connected" : "lost";
  }

  /** Since when it is lost. */
  failing(): Failing | undefined {
    return this.#lost;
  }

  /** @throws where it is lost, or says nothing for too long */
  async send(command: string, args: string[]): Promise<unknown> {
    const client = this.#said_on;
    const silent = setTimeout(() => this.#replace(client), SILENT_MS);
    try {
      return await client.send(command, args);
    } finally {
      clearTimeout(silent);
    }
  }

  /** Has `hear` called with every message of a channel from now on. Only one channel is heard. */
  hear(channel: string, hear: (message: string) => void): void {
    this.#hearing = { channel, hear };
    this.#listen();
  }

  stop(): void {
    this.#stopped = true;
    clearInterval(this.#looking);
    this.#said_on.close();
    this.#heard_on?.close();
  }

  /** Says once what changed. */
  #tell(): void {
    const now = this.state();
    const comes = this.#told === undefined && performance.now() - this.#since_ms < SILENT_MS;
    if (now === this.#told || (now === "lost" && comes)) return;
    this.#lost = now === "lost" ? { error: "no connection", since_ms: Date.now() } : undefined;
    if (now === "lost") this.#log("redis: lost; each replica shows and limits what it sees itself");
    else if (this.#told === "lost") this.#log("redis: connected; live values and limits are shared");
    this.#told = now;
  }

  #connect(): RedisClient {
    // What cannot be said now is old by the time it could.
    const options = { enableOfflineQueue: false, maxRetries: 2 ** 32 - 1, connectionTimeout: SILENT_MS };
    const client = new RedisClient(this.#url, options);
    client.onconnect = () => this.#tell();
    client.connect().catch(() => {});
    return client;
  }

  #listen(): void {
    if (!this.#hearing) return;
    const { channel, hear } = this.#hearing;
    const client = this.#connect();
    // A connection that was made anew is subscribed to nothing.
    client.onconnect = () => {
      this.#tell();
      client.subscribe(channel, hear).catch(() => {});
    };
    this.#heard_on = client;
  }

  /** A connection that says nothing may be cut without either end having been told. */
  #replace(silent: RedisClient): void {
    if (silent !== this.#said_on || this.#stopped) return;
    const deaf = this.#heard_on;
    this.#said_on = this.#connect();
    this.#listen();
    silent.close();
    deaf?.close();
  }
}
