// The program: reads the settings, starts everything, prints where it is, stops in order.
import { NewerSchema } from "../analytics-sql/schema/version.ts";
import { Overloaded } from "../ingest/store/store.ts";
import { assets } from "../views/index.ts";
import { createApp, createHealthApp } from "./app.ts";
import { ConfigError, parseConfig } from "./config.ts";
import { neverHadMachine } from "./demo.ts";
import { listening, refuseTakenPort } from "./port.ts";
import { VersionUnknown } from "./schema-version.ts";
import { type Services, startServices } from "./services.ts";

/** From the signal on, whatever hangs: who stops a program gives it 30 s. What several of its steps hang in is left before. */
const STOP_WITHIN_MS = 29_000;
/** Requests under way may take this long; then they are told that they get no answer, and have this long to hear it. */
const GRACE_MS = 3_000;
const LAST_ANSWERS_MS = 500;

const log = (message: string): void => console.error(`${new Date().toISOString()} ${message}`);

async function main(): Promise<void> {
  const config = parseConfig(process.env);
  refuseTakenPort(config);
  const services = await startServices(config, log);
  const serves = config.roles.includes("api");
  if (serves) await assets();
  // Output that is kept somewhere is no place for a way in, once there is another.
  const wanted = serves && (process.stdout.isTTY || !services.keys.users.any);
  const link_token = wanted ? await unlessFull("sign-in link", () => services.keys.linkToken()) : undefined;
  const app = serves ? createApp(services) : createHealthApp(services);
  listening(config, (where) => app.listen(where));
  const origin = `http://${config.host.includes(":") ? `[${config.host}]` : config.host}:${app.server?.port}`;
  console.log(`MTC is ready at ${origin}`);
  console.log(`  data:          ${config.data_dir}`);
  if (serves) {
    if (link_token !== undefined) console.log(`  sign in once:  ${origin}/sign-in?token=${link_token}`);
    console.log(`  admin API key: ${config.admin_key_place}`);
  } else console.log(`  roles:         ${config.roles.join(", ")}; health at ${origin}/readyz`);
  if (config.demo === "auto") await unlessFull("demo", () => beginDemo(services));
  const demo = services.demo.running;
  if (demo) {
    console.log(`  demo plant:    MTConnect agent ${demo.agent_url}, ADAM-6050 at ${demo.modbus_address}`);
  }
  await services.collect();

  stopOnSignals(async (drain) => {
    setTimeout(() => process.exit(1), STOP_WITHIN_MS).unref();
    services.drain();
    if (drain) await Bun.sleep(1_000 * config.drain_s);
    services.hub.end("the server stops");
    const answered = app.stop();
    await Promise.race([answered, Bun.sleep(GRACE_MS)]);
    services.end();
    await Promise.race([answered, Bun.sleep(LAST_ANSWERS_MS)]);
    // Who is still connected now is cut off.
    if (app.server) await app.stop(true);
    process.exit((await services.stop()) ? 0 : 1);
  });
}

/**
 * Whoever ends a service by SIGTERM sends it requests for a while yet: it stops taking them when others had the time to see
 * that it is not ready. At a terminal nobody does, and nobody wants to wait.
 */
function stopOnSignals(stop: (drain: boolean) => Promise<void>): void {
  let stopping = false;
  const once = (drain: boolean) => (): void => {
    if (stopping) return;
    stopping = true;
    void stop(drain);
  };
  process.on("SIGTERM", once(true));
  process.on("SIGINT", once(false));
}

async function beginDemo({ demo, store }: Services): Promise<void> {
  await demo.begin(await neverHadMachine(store));
}

/** A store that takes nothing now, as on a full disk, is no reason not to serve. */
async function unlessFull<T>(what: string, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Overloaded)) throw error;
    log(`${what}: ${error.message}`);
    return undefined;
  }
}

/** Whoever starts the program can mend these by the words alone. */
const CLEAR = [ConfigError, NewerSchema, VersionUnknown, Overloaded];

main().catch((error: unknown) => {
  console.error(CLEAR.some((kind) => error instanceof kind) ? (error as Error).message : error);
  process.exit(1);
});
