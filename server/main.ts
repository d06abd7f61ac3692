// The program: reads the settings, starts everything, prints where it is, stops in order.
import { NewerSchema } from "../analytics-sql/schema/version.ts";
import { Overloaded } from "../ingest/store/store.ts";
import { assets } from "../views/index.ts";
import { createApp, createHealthApp } from "./app.ts";
import { ConfigError, parseConfig } from "./config.ts";
import { neverHadMachine } from "./demo.ts";
import { VersionUnknown } from "./schema-version.ts";
import { type Services, startServices } from "./services.ts";

const STOP_WITHIN_MS = 28_000;
/** Requests under way may take this long; clients still sending what was refused would never end. */
const GRACE_MS = 3_000;

const log = (message: string): void => console.error(`${new Date().toISOString()} ${message}`);

async function main(): Promise<void> {
  const config = parseConfig(process.env);
  const services = await startServices(config, log);
  const serves = config.roles.includes("api");
  if (serves) await assets();
  // Output that is kept somewhere is no place for a way in, once there is another.
  const wanted = serves && (process.stdout.isTTY || !services.keys.users.any);
  const link_token = wanted ? await unlessFull("sign-in link", () => services.keys.linkToken()) : undefined;
  const app = (serves ? createApp(services) : createHealthApp(services)).listen({
    hostname: config.host,
    port: config.port,
  });
  const origin = `http://${config.host.includes(":") ? `[${config.host}]` : config.host}:${app.server?.port}`;
  console.log(`MTC is ready at ${origin}`);
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

  let stopping = false;
  const stop = async (): Promise<void> => {
    if (stopping) return;
    stopping = true;
    setTimeout(() => process.exit(1), STOP_WITHIN_MS).unref();
    services.hub.end("the server stops");
    await Promise.race([app.stop(), Bun.sleep(GRACE_MS)]);
    // Who is still connected now is cut off.
    if (app.server) await app.stop(true);
    await services.stop();
    process.exit(0);
  };
  process.on("SIGTERM", () => void stop());
  process.on("SIGINT", () => void stop());
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
