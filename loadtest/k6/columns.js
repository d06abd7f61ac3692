// Sustained ingest in columns: batches of 500 over 16 connections.
import { columns, post } from "./mtc.js";

export { setup } from "./mtc.js";

export const options = {
  scenarios: { columns: { executor: "constant-vus", vus: 16, duration: __ENV.DURATION || "30s" } },
  thresholds: {
    http_req_failed: ["rate==0"],
    "http_req_duration{name:ingest}": ["p(99)<50"],
    observations: ["rate>500000"],
  },
};

export default function () {
  post(columns(500), 500);
}
