// Sustained ingest in rows: batches of 500 over 16 connections.
import { post, rows } from "./mtc.js";

export { setup } from "./mtc.js";

export const options = {
  scenarios: { rows: { executor: "constant-vus", vus: 16, duration: __ENV.DURATION || "30s" } },
  thresholds: { http_req_failed: ["rate==0"], observations: ["rate>100000"] },
};

export default function () {
  post(rows(500), 500);
}
