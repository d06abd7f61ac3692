// What the scripts share: where MTC is, its key, the machines that take the load, and the bodies they post.
import exec from "k6/execution";
import http from "k6/http";
import { Counter } from "k6/metrics";

export const ORIGIN = __ENV.MTC_URL || "http://127.0.0.1:3000";
const KEY = __ENV.MTC_KEY;
const MACHINES = Number(__ENV.MACHINES || 100);
const JSON_TYPE = { "content-type": "application/json" };

/** Observations that were acknowledged. */
const acknowledged = new Counter("observations");

export const machineId = (n) => `k6-${String(n % MACHINES).padStart(4, "0")}`;
export const signedIn = (headers = {}) => ({ headers: { "x-api-key": KEY, ...headers } });

/** Before the load: the machines are there, whether this is the first run or not. */
export function setup() {
  for (let n = 0; n < MACHINES; n++) {
    const body = JSON.stringify({ id: machineId(n), name: machineId(n), source: { kind: "http" } });
    const known = http.expectedStatuses(201, 409);
    const params = { ...signedIn(JSON_TYPE), responseCallback: known };
    const { status } = http.post(`${ORIGIN}/api/v1/machines`, body, params);
    if (status !== 201 && status !== 409) throw new Error(`a machine was answered with ${status}`);
  }
}

/** Observations of this iteration: no two iterations, and no two runs, post the same. */
const SIGNALS = ["spindle_speed", "feedrate", "Xload", "temp", "execution"];
const STEP_US = 1_000;

export function columns(rows) {
  const dt = Array.from({ length: rows }, (_, i) => i * STEP_US);
  return {
    signals: SIGNALS,
    signal: dt.map((_, i) => (i % 50 === 49 ? 4 : i % 4)),
    t0: Date.now() * 1_000 - rows * STEP_US,
    dt,
    seq0: exec.scenario.iterationInTest * rows + 1,
    num: dt.map((_, i) => (i % 50 === 49 ? null : ((i * 7_919) % 4_000_000) / 1_000)),
    words: ["ACTIVE", "FEED_HOLD"],
    word: dt.map((_, i) => (i % 50 === 49 ? 1 + (exec.scenario.iterationInTest % 2) : 0)),
  };
}

/** The same observations as rows. */
export function rows(count) {
  const { signal, t0, dt, seq0, num, words, word } = columns(count);
  return {
    observations: signal.map((s, i) => ({
      signal: SIGNALS[s],
      ts: new Date((t0 + dt[i]) / 1_000).toISOString(),
      value: word[i] > 0 ? words[word[i] - 1] : num[i],
      seq: seq0 + i,
    })),
  };
}

/** Posts one batch to the next machine. */
export function post(body, count) {
  const url = `${ORIGIN}/internal/machines/${machineId(exec.scenario.iterationInTest)}/data`;
  const params = { ...signedIn(JSON_TYPE), tags: { name: "ingest" } };
  const { status } = http.post(url, JSON.stringify(body), params);
  if (status === 202) acknowledged.add(count);
}
