// One observation a request over 64 connections: what group commit is worth.
import { post, rows } from "./mtc.js";

export { setup } from "./mtc.js";

export const options = {
  scenarios: { single: { executor: "constant-vus", vus: 64, duration: __ENV.DURATION || "30s" } },
  thresholds: { http_req_failed: ["rate==0"], observations: ["rate>8000"] },
};

export default function () {
  post(rows(1), 1);
}
