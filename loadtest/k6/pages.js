// The pages and the figures behind them, as a handful of people and one script ask for them.
import http from "k6/http";
import { machineId, ORIGIN, signedIn } from "./mtc.js";

export { setup } from "./mtc.js";

const PAGES = {
  wall: "/hmi",
  machine: `/hmi/${machineId(0)}`,
  dashboard: "/dashboard",
  report: `/dashboard/${machineId(0)}`,
};
/** Every machine by hour, over a month. */
const DAY_MS = 86_400_000;
const month = () => `from=${new Date(Date.now() - 30 * DAY_MS).toISOString()}&to=${new Date().toISOString()}`;

export const options = {
  scenarios: { pages: { executor: "constant-vus", vus: 4, duration: __ENV.DURATION || "30s" } },
  thresholds: {
    http_req_failed: ["rate==0"],
    ...Object.fromEntries(
      Object.keys(PAGES).map((name) => [`http_req_duration{name:${name}}`, ["p(95)<150"]]),
    ),
    "http_req_duration{name:oee}": ["p(50)<300"],
  },
};

export default function () {
  for (const [name, path] of Object.entries(PAGES)) {
    http.get(ORIGIN + path, { ...signedIn(), tags: { name } });
  }
  http.get(`${ORIGIN}/api/v1/oee?by=hour&${month()}`, { ...signedIn(), tags: { name: "oee" } });
}
