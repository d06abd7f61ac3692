// Reading MTConnectStreams: from a document's bytes to an event's, against fast-xml-parser's tree of the same bytes.
import { XMLParser } from "fast-xml-parser";
import { readDocument, readStreams } from "../../ingest/sources/mtconnect/document.ts";
import { Translator } from "../../ingest/sources/mtconnect/observations.ts";
import { haveRecordings, recording } from "../../ingest/sources/mtconnect/recordings.ts";
import { startAgent } from "../../ingest/sources/simulator/agent.ts";
import { deviceModel, tell } from "../lib/devices.ts";
import { atLeast, type Bench, round } from "../lib/report.ts";
import { median, spread } from "../lib/stats.ts";

type Sample = { name: string; bytes: Uint8Array; machines: Translator[] };

/** The budget: so many times faster than the library. */
const TIMES_FASTER = 10;
const RECORDED = "nist/sample-140.streams.xml";

export const reader: Bench = {
  name: "reader",
  async run({ sizes, report, progress }) {
    const samples = [await generated(sizes.document_rows)];
    if (haveRecordings) samples.push(recorded());
    for (const sample of samples) {
      progress(`${sample.name}: ${sample.bytes.length} bytes`);
      const mb = sample.bytes.length / 1e6;
      const library = new XMLParser({
        ignoreAttributes: false,
        parseTagValue: false,
        processEntities: false,
      });
      const text = new TextDecoder();
      const tree = (): void => void library.parse(text.decode(sample.bytes));
      const read = (): number => toEvents(sample);
      const rows = read();
      for (const warm of [tree, read]) rate(warm, sizes.reading_ms / 2);
      const ours: number[] = [];
      const theirs: number[] = [];
      for (let i = 0; i < sizes.rounds; i++) {
        ours.push(rate(read, sizes.reading_ms));
        theirs.push(rate(tree, sizes.reading_ms));
      }
      const ratio = median(ours.map((one, i) => one / (theirs[i] ?? Number.NaN)));
      report({
        name: `reader.${sample.name}`,
        ...spread(ours.map((per_s) => per_s * mb)),
        unit: "MB/s",
        observations_per_s: round(median(ours) * rows),
        fast_xml_parser_mb_per_s: round(median(theirs) * mb),
        ratio: round(ratio),
        ratio_limit: TIMES_FASTER,
        ok: atLeast(TIMES_FASTER, ratio).ok,
        observations: rows,
        bytes: sample.bytes.length,
        note: "document to the bytes of an event's data; ratio: times faster than fast-xml-parser's tree alone",
      });
    }
  },
};

/** What collection does with a document. @returns how many observations came of it */
function toEvents({ bytes, machines }: Sample): number {
  const document = readStreams(bytes);
  if (document.kind !== "streams") throw new Error("an error document has nothing to read");
  let rows = 0;
  for (const machine of machines) {
    for (const { columns } of machine.batches(document.devices, "key")) {
      rows += columns.bytes().length > 0 ? columns.rows : 0;
    }
  }
  return rows;
}

/** Times a second, over at least `ms`. */
function rate(work: () => void, ms: number): number {
  const began_ms = performance.now();
  let times = 0;
  do {
    work();
    times += 1;
  } while (performance.now() - began_ms < ms);
  return times / ((performance.now() - began_ms) / 1_000);
}

/** What a real agent would answer: one device, 1 ms between observations. */
async function generated(rows: number): Promise<Sample> {
  const uuid = "bench-cnc";
  const agent = startAgent({ devices: [deviceModel(uuid)] });
  try {
    const from = agent.next_sequence;
    const base_us = (Date.now() - 60_000) * 1_000;
    for (let n = 0; n < rows; n++) tell(agent, uuid, n, base_us + n * 1_000);
    const get = async (path: string) =>
      new Uint8Array(await (await fetch(`${agent.url}/${path}`)).arrayBuffer());
    const bytes = await get(`sample?from=${from}&count=${rows}`);
    return { name: "generated", bytes, machines: machinesOf(await get("probe")) };
  } finally {
    await agent.stop();
  }
}

/** A real shop's answer, with the device model that goes with it. */
function recorded(): Sample {
  return {
    name: "recorded",
    bytes: recording(RECORDED),
    machines: machinesOf(recording("nist/testbed-devices.xml")),
  };
}

/** The agent's devices as the collector keeps them, from document to document. */
function machinesOf(probe: Uint8Array): Translator[] {
  const document = readDocument(probe);
  if (document.kind !== "devices") throw new Error("no device model");
  return document.devices.map((device) => new Translator(device.name, device));
}
