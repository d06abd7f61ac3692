// For tests: documents that no agent would send who means well, each of them more than is read (SPEC 16.1).
export type Asked = "probe" | "current" | "assets";

export const HEADER = `<Header instanceId="1" bufferSize="9" firstSequence="1" lastSequence="9" nextSequence="10"/>`;
export const probe = (inner: string): string =>
  `<MTConnectDevices>${HEADER}<Devices><Device id="d" name="D" uuid="u"><DataItems>${inner}</DataItems></Device></Devices></MTConnectDevices>`;
export const streams = (inner: string, group = "Samples"): string =>
  `<MTConnectStreams>${HEADER}<Streams><DeviceStream name="D" uuid="u"><ComponentStream><${group}>${inner}</${group}></ComponentStream></DeviceStream></Streams></MTConnectStreams>`;
export const many = (n: number, one: (i: number) => string): string =>
  Array.from({ length: n }, (_, i) => one(i)).join("");
export const AT = `timestamp="2026-01-05T06:00:00Z"`;
export const observation = (i: number, text: string, more = ""): string =>
  `<X dataItemId="x" ${AT} sequence="${i}"${more}>${text}</X>`;

const MB = 1_000_000;
/** What cannot be read: what it is, in answer to what, the document, and what is said of it. */
export const HOSTILE: [what: string, asked: Asked, document: () => string, outcome: string | RegExp][] = [
  [
    "a million attributes",
    "probe",
    () => probe(`<DataItem ${many(MB, (i) => `a${i}="" `)}/>`),
    "more than 64 attributes",
  ],
  ["600,000 data items", "probe", () => probe(many(600_000, (i) => `<DataItem id="i${i}"/>`)), "elements"],
  [
    "60,000 data items",
    "probe",
    () => probe(many(60_000, (i) => `<DataItem id="i${i}"/>`)),
    "50000 data items",
  ],
  ["30 MB of unclosed tags", "probe", () => "<a>".repeat(10 * MB), "nested deeper"],
  [
    "an error of 50 million characters",
    "probe",
    () =>
      `<MTConnectError>${HEADER}<Errors><Error errorCode="E">${"x".repeat(50 * MB)}</Error></Errors></MTConnectError>`,
    /^E: x+…$/,
  ],
  ["30 MB of JSON's brackets", "probe", () => `{"a":${"[".repeat(30 * MB)}`, "nested deeper"],
  [
    "3 million values of JSON",
    "probe",
    () => `{"MTConnectDevices":{"a":[${"1,".repeat(3 * MB)}1]}}`,
    "values",
  ],
  [
    "a tag of one name of 20 MB",
    "assets",
    () => `<MTConnectAssets><Assets><a ${"x".repeat(20 * MB)}/></Assets></MTConnectAssets>`,
    "without a value",
  ],
  [
    "100,000 assets",
    "assets",
    () =>
      `<MTConnectAssets><Assets>${many(100_000, (i) => `<T assetId="${i}"/>`)}</Assets></MTConnectAssets>`,
    "assets",
  ],
  [
    "a million attributes of an observation",
    "current",
    () => streams(`<X ${many(MB, (i) => `a${i}="" `)}/>`),
    "more than 64 attributes",
  ],
  [
    "a stream's unclosed tags",
    "current",
    () => `<MTConnectStreams>${"<a>".repeat(10 * MB)}`,
    "nested deeper",
  ],
  ["half a million observations", "current", () => streams("<X/>".repeat(500_000)), "elements"],
  [
    "200,000 entries of one set",
    "current",
    () => streams(observation(1, "<Entry/>".repeat(200_000)), "Events"),
    "values",
  ],
  [
    "time series of 30 million values",
    "current",
    () =>
      streams(
        many(300, (i) => observation(i, "1 ".repeat(100_000), ` sampleCount="100000" sampleRate="10"`)),
      ),
    "values",
  ],
];
