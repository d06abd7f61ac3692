// For tests: agents whose every answer is more than is read, and such as begin well and then send it.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { HEADER, HOSTILE } from "../../ingest/sources/mtconnect/hostile-documents.ts";
import { ScriptedAgent } from "../../ingest/sources/mtconnect/scripted-agent.ts";

type Bytes = Uint8Array<ArrayBuffer>;
const bytes = (text: string): Bytes => new TextEncoder().encode(text) as Bytes;

/** Answers to whatever is asked, by what is too much of them. */
export const UNREADABLE: Record<string, Bytes> = {
  items: bytes(
    `<MTConnectDevices>${HEADER}<Devices><Device id="d" name="D" uuid="u"><DataItems>${Array.from(
      { length: 100_000 },
      (_, i) =>
        `<DataItem id="item-${i}" name="name-${i}" category="SAMPLE" type="POSITION" subType="ACTUAL"/>`,
    ).join("")}</DataItems></Device></Devices></MTConnectDevices>`,
  ),
  words: bytes(
    `<MTConnectError>${HEADER}<Error errorCode="E">${"x".repeat(20_000_000)}</Error></MTConnectError>`,
  ),
  attributes: bytes(`<MTConnectDevices ${Array.from({ length: 200_000 }, (_, i) => `a${i}=""`).join(" ")}/>`),
};

/** One server for many agents, each at a path of its own. */
export class HostileAgents {
  /** How often each was asked for something. */
  readonly asked = new Map<string, number>();
  /** Addresses by name. */
  readonly urls: Map<string, string>;
  readonly #server: ReturnType<typeof Bun.serve>;

  /** @param answers by the agent's name: the one thing that it says */
  constructor(answers: Record<string, Bytes | Bun.BunFile>) {
    this.#server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      idleTimeout: 0,
      fetch: (request) => {
        const [, name = ""] = new URL(request.url).pathname.split("/");
        this.asked.set(name, (this.asked.get(name) ?? 0) + 1);
        return new Response(answers[name] ?? "");
      },
    });
    this.urls = new Map(
      Object.keys(answers).map((name) => [name, `http://127.0.0.1:${this.#server.port}/${name}`]),
    );
  }

  stop(): Promise<void> {
    return this.#server.stop(true);
  }
}

export type Pack = { urls: string[]; asked(): number[]; stop(): Promise<void> };

/** One agent for each hostile document; those of streams and of assets answer a probe as they should. */
export async function hostilePack(): Promise<Pack> {
  // From the disk: hundreds of MB that the test itself need not hold.
  const folder = mkdtempSync(`${tmpdir()}/mtc-hostile-`);
  const answers: Record<string, Bytes | Bun.BunFile> = { ...UNREADABLE };
  const scripted: ScriptedAgent[] = [];
  for (const [i, [, asked, document]] of HOSTILE.entries()) {
    const file = Bun.file(`${folder}/${i}`);
    await file.write(document());
    if (asked === "probe") answers[`document-${i}`] = file;
    else scripted.push(turning(file, asked));
  }
  const agents = new HostileAgents(answers);
  return {
    urls: [...agents.urls.values(), ...scripted.map(({ url }) => url)],
    asked: () => [
      ...[...agents.urls.keys()].map((name) => agents.asked.get(name) ?? 0),
      ...scripted.map(({ requests }) => requests.length),
    ],
    async stop() {
      await Promise.all([agents.stop(), ...scripted.map((agent) => agent.stop())]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** An agent that is one until it is asked for what it says now, or for its assets. */
function turning(file: Bun.BunFile, asked: "current" | "assets"): ScriptedAgent {
  const agent = new ScriptedAgent();
  const turns = asked === "current" ? /\/(current|sample)\b/ : /\/assets?\b/;
  if (asked === "assets") agent.putAsset("T1", '<CuttingTool assetId="T1"/>');
  agent.instead = (path) => (turns.test(path) ? new Response(file) : undefined);
  return agent;
}
