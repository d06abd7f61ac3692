// Live readers on WebSockets: how late changes are that come while they watch a plant that works.
import { Trend } from "k6/metrics";
import { setTimeout } from "k6/timers";
import { WebSocket } from "k6/websockets";
import { ORIGIN, signedIn } from "./mtc.js";

const WATCH_S = Number(__ENV.WATCH_S || 30);

export const options = {
  scenarios: { stream: { executor: "per-vu-iterations", vus: 20, iterations: 1 } },
  thresholds: { delay: ["p(99)<250"] },
};

/** From an observation's own time to its message: the sources' clocks must agree with this one. */
const delay = new Trend("delay", true);

export default function () {
  const from_ms = Date.now();
  const socket = new WebSocket(`${ORIGIN.replace(/^http/, "ws")}/api/v1/stream`, [], signedIn());
  socket.onmessage = (message) => {
    const { event, data } = JSON.parse(message.data);
    if (event !== "delta") return;
    for (const { ts_us } of Object.values(data.signals || {})) {
      // What came late, or tells of the past, says nothing of the way to here.
      if (ts_us / 1_000 > from_ms) delay.add(Date.now() - ts_us / 1_000);
    }
  };
  socket.onopen = () => setTimeout(() => socket.close(), WATCH_S * 1_000);
}
