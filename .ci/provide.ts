// Installs what tests run beside the program, as far as the selected files use it and the machine allows it.
import { provideChromium } from "./chromium.ts";
import { provideFaketime } from "./faketime.ts";
import { importsOf } from "./imports.ts";
import { provideKafka } from "./kafka.ts";
import { provideMbpoll, providePymodbus } from "./modbus-peers.ts";
import { provideFerret, provideSecantus } from "./mongo-peers.ts";
import { provideRedis } from "./redis.ts";
import { provideMoto } from "./s3-peer.ts";
import { provideSchemaRegistry } from "./schema-registry.ts";
import { provideSchemathesis } from "./schemathesis.ts";
import { provideWholeChromium } from "./whole-chromium.ts";
import { provideWindowKeys } from "./window-keys.ts";

type Peer = { name: string; module: string; provide: () => string; long: boolean };

/** By the module with which tests find it. Those from Maven, Go and pip are for the long tests. */
const PEERS: Peer[] = [
  { name: "chromium", module: "chromium", provide: provideChromium, long: false },
  { name: "whole chromium", module: "whole-chromium", provide: provideWholeChromium, long: true },
  { name: "window keys", module: "window-keys", provide: provideWindowKeys, long: true },
  { name: "mbpoll", module: "modbus-peers", provide: provideMbpoll, long: false },
  { name: "pymodbus", module: "modbus-peers", provide: providePymodbus, long: false },
  { name: "faketime", module: "faketime", provide: provideFaketime, long: true },
  { name: "redis", module: "redis", provide: provideRedis, long: false },
  { name: "moto", module: "s3-peer", provide: provideMoto, long: true },
  { name: "schemathesis", module: "schemathesis", provide: provideSchemathesis, long: true },
  { name: "kafka", module: "kafka", provide: provideKafka, long: true },
  { name: "schema registry", module: "schema-registry", provide: provideSchemaRegistry, long: true },
  { name: "ferretdb", module: "mongo-peers", provide: provideFerret, long: true },
  { name: "secantusdb", module: "mongo-peers", provide: provideSecantus, long: true },
];

/** @param files from the project's root @returns a line for each peer: where it is, or why it is not there */
export function* provide(files: string[], long: boolean): Generator<string> {
  const modules = importsOf(files);
  for (const peer of PEERS)
    if ((long || !peer.long) && modules.has(`.ci/${peer.module}.ts`)) yield `${peer.name}: ${peer.provide()}`;
}
