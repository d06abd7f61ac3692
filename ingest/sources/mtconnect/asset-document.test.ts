// Assets are told apart, each with its own bytes; what is not whole tells none.
import { describe, expect, test } from "bun:test";
import { readAssets } from "./asset-document.ts";
import { captures, haveRecordings, recording, recordingText } from "./recordings.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const document = (...assets: string[]): Uint8Array =>
  bytes(`<?xml version="1.0"?>\n<m:MTConnectAssets xmlns:m="urn:x"><m:Header assetCount="2"/>
  <m:Assets>${assets.join("\n")}</m:Assets></m:MTConnectAssets>\n`);

describe.skipIf(!haveRecordings)("recordings", () => {
  test("tools of a real agent come with their own bytes", () => {
    const tool = recordingText("cppagent/asset1.xml").trim();
    expect(readAssets(document(tool))).toEqual([
      {
        asset_id: "KSSP300R4SD43L240.1",
        type: "CuttingTool",
        ts_us: Date.UTC(2011, 4, 11, 13, 55, 22) * 1_000,
        removed: false,
        device_uuid: "",
        document: tool,
        omitted_bytes: 0,
      },
    ]);
    const listed = readAssets(recording("cppagent/asset3.xml")) ?? [];
    expect(listed.map(({ asset_id, removed }) => [asset_id, removed])).toEqual([
      ["KSSP300R4SD43L240.1", true],
    ]);
    expect(readAssets(document(...listed.map((asset) => asset.document)))).toEqual(listed);
    expect(readAssets(recording("cppagent/ext_asset.xml"))).toMatchObject([{ asset_id: "B732A08500HP.1" }]);
  });

  test("JSON of another agent: each asset, its document its own", () => {
    const assets = readAssets(recording("trakhound/MTConnectAssetsResponseDocument.json"));
    expect(assets).toMatchObject([
      { asset_id: "tool-test1", type: "CuttingTool", device_uuid: "OKUMA.Lathe.123456", removed: false },
      { asset_id: "file-test", type: "File", ts_us: Date.UTC(2023, 11, 10, 3, 14, 24) * 1_000 + 895_080 },
    ]);
    expect(JSON.parse(assets?.[1]?.document ?? "")).toMatchObject({
      File: { assetId: "file-test", size: 23973 },
    });
  });

  test("an agent without assets has none; an error or another document is no list of assets", () => {
    const of = (name: string) =>
      readAssets(captures().find((c) => c.name.includes(`/${name}-`))?.body ?? bytes(""));
    expect(of("A09")).toEqual([]);
    expect(of("A31")).toBeUndefined();
    expect(of("A05")).toBeUndefined();
  });
});

test("markup in values, comments and CDATA is none; a prefix is not part of the type", () => {
  const tool = `<x:Tool assetId="a&amp;b" timestamp="2026-01-05T06:00:00Z" deviceUuid='u>1' removed="true" note="/>">
    <!-- </x:Tool> <Assets> --><![CDATA[</x:Tool>]]><Assets><Tool assetId="inner"/></Assets></x:Tool>`;
  const file = `<File assetId="f" timestamp="soon"/>`;
  expect(readAssets(document("<!-- none -->", tool, "<?pi <Tool?>", file, `<Note/>`))).toEqual([
    {
      asset_id: "a&b",
      type: "Tool",
      ts_us: Date.UTC(2026, 0, 5, 6) * 1_000,
      removed: true,
      device_uuid: "u>1",
      document: tool,
      omitted_bytes: 0,
    },
    {
      asset_id: "f",
      type: "File",
      ts_us: 0,
      removed: false,
      device_uuid: "",
      document: file,
      omitted_bytes: 0,
    },
  ]);
});

test("version 1 JSON wraps each asset in its name", () => {
  const json = `{"MTConnectAssets":{"Header":{},"Assets":[{"CuttingTool":{"assetId":"t","timestamp":"2026-01-05T06:00:00Z"}},
    {"CuttingTool":{"assetId":"u","removed":true}}]}}`;
  expect(readAssets(bytes(json))).toMatchObject([
    {
      asset_id: "t",
      type: "CuttingTool",
      removed: false,
      document: '{"CuttingTool":{"assetId":"t","timestamp":"2026-01-05T06:00:00Z"}}',
    },
    { asset_id: "u", removed: true },
  ]);
});

test("cut at any byte, and in every hostile shape, it tells nothing", () => {
  const whole = document(`<Tool assetId="a"><B c="d">e</B></Tool>`).subarray(0, -1);
  for (let at = 0; at < whole.length; at++) expect(() => readAssets(whole.subarray(0, at))).toThrow();
  const hostile = [
    `<!DOCTYPE a [<!ENTITY b "c">]><MTConnectAssets><Assets/></MTConnectAssets>`,
    "<MTConnectAssets><Assets></MTConnectAssets></Assets>",
    "<MTConnectAssets><Assets/></MTConnectAssets><MTConnectAssets/>",
    `<MTConnectAssets>${"<a>".repeat(70)}${"</a>".repeat(70)}</MTConnectAssets>`,
    `<MTConnectAssets a=">`,
    `<MTConnectAssets ${"a".repeat(3_000_000)}`,
    "<a",
    "",
    "{",
  ];
  for (const text of hostile) expect(() => readAssets(bytes(text))).toThrow();
});
