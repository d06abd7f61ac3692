// The program: reads the settings, starts everything, prints where it is, stops in order.
import { assets } from "../views/index.ts";
import { createApp, createHealthApp } from "./app.ts";
import { ConfigError, parseConfig } from "./config.ts";
import { neverHadMachine } from "./demo.ts";
import type { Keys } from "./keys.ts";
import { listening, refuseTakenPort } from "./port.ts";
import { startServices } from "./services.ts";

const STOP_WITHIN_MS = 28_000;
/** Requests under way may take this long; clients still sending what was refused would never end. */
const GRACE_MS = 3_000;

const log = (message: string): void => console.error(`${new Date().toISOString()} ${message}`);

async function main(): Promise<void> {
  const config = parseConfig(process.env);
  refuseTakenPort(config);
  const services = await startServices(config, log);
  const serves = config.roles.includes("api");
  if (serves) await assets();
  // Output that is kept somewhere is no place for a way in, once there is another.
  const wanted = serves && (process.stdout.isTTY || !services.keys.users.any);
  const link_token = wanted ? await linkToken(services.keys) : undefined;
  const app = serves ? createApp(services) : createHealthApp(services);
  listening(config, (where) => app.listen(where));
  const origin = `http://${config.host.includes(":") ? `[${config.host}]` : config.host}:${app.server?.port}`;
  console.log(`MTC is ready at ${origin}`);
  console.log(`  data:          ${config.data_dir}`);
  if (serves) {
    if (link_token !== undefined) console.log(`  sign in once:  ${origin}/sign-in?token=${link_token}`);
    console.log(`  admin API key: ${config.admin_key_place}`);
  } else console.log(`  roles:         ${config.roles.join(", ")}; health at ${origin}/readyz`);
  if (config.demo === "auto") await services.demo.begin(await neverHadMachine(services.store));
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

/** A store that takes nothing now, as on a full disk, is no reason not to serve. */
async function linkToken(keys: Keys): Promise<string | undefined> {
  try {
    return await keys.linkToken();
  } catch (error) {
    log(`sign-in link: ${(error as Error).message}`);
    return undefined;
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof ConfigError ? error.message : error);
  process.exit(1);
});
