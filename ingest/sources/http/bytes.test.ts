// From a body to the bus: the same bytes all the way.
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { until } from "../../../.ci/limits.ts";
import type { Stretch } from "../../event.ts";
import { LiveHub } from "../../live/hub.ts";
import { startRelay } from "../../outbox/relay.ts";
import { createPipeline } from "../../pipeline.ts";
import { openSqlite } from "../../store/sqlite.ts";
import { parseBody } from "./parse.ts";

const dir = mkdtempSync(`${tmpdir()}/mtc-bytes-`);
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test("invariant 8: what the relay hands to the bus are the body's bytes in their envelope", async () => {
  const store = await openSqlite({ file: `${dir}/log.sqlite`, max_outbox_bytes: 1 << 20 });
  const handed: string[] = [];
  const deliver = async ({ bytes }: Stretch) => void handed.push(new TextDecoder().decode(bytes));
  const relay = startRelay(store, { deliver }, () => {});
  const pipeline = await createPipeline({ store, hub: new LiveHub(), wake: relay.wake, now_ms: Date.now });
  const mill = { tenant_id: "plant-1", id: "mill-1", rules: [] };
  const t0 = 1_767_592_800_000_000;
  const bodies = [
    `{"word":[1], "words":[ "A\\u00e4\\"" ],"dt":[0],"t0":${t0},"signal":[0],"signals":["execution"]}`,
    `\n\t{ "num" : [ 1.50, -0.0 ],\r\n"signals":["load"],"signal":[0,0],"t0":${t0},"dt":[ 0,1 ] }\n`,
  ];
  for (const body of bodies) {
    const bytes = new TextEncoder().encode(body);
    const { columns, bytes: payload } = parseBody(bytes, false, t0);
    await pipeline.observe(mill, payload, columns);
  }
  await until(async () => (await store.outboxDepth()).events === 0);
  await relay.stop();
  const lines = handed.join("");
  for (const body of bodies) expect(lines).toContain(`"data":${body}}\n`);
  await store.close();
});
