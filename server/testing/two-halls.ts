// A plant of known events: two mills in hall A and a lathe in hall B, a day of two shifts, lots of two parts, one reason.
import type { TestServer } from "./server.ts";

export const DAY = "2026-01-05";
/** A time of that day, UTC, which is the plant's zone. */
export const at = (time: string): string => `${DAY}T${time}:00Z`;

/** Each machine stops for so many minutes from 09:00 on. */
const MACHINES = [
  { id: "mill-1", name: "Mill 1", group: "Hall A", stop_min: 30 },
  { id: "mill-2", name: "=Mill 2", group: "Hall A", stop_min: 60 },
  { id: "lathe", name: "Lathe", group: "Hall B", stop_min: 90 },
] as const;

/**
 * Early 06–14, late 14–22; part A in lot L1 until 10:00, then B in L2. All run in the early shift but for their stop,
 * whose reason is "tool" on the first mill, and in the late one until 18:00; 60 s a part, ten rejects before 10:00.
 */
export async function twoHalls(server: TestServer): Promise<void> {
  const ok = async (method: string, path: string, body: object): Promise<void> => {
    const { status, body: answer } = await server.call(method, path, body);
    if (status >= 300) throw new Error(`${method} ${path}: ${status} ${JSON.stringify(answer)}`);
  };
  await ok("PUT", "/api/v1/reasons", [{ code: "tool", name: "Tool broken" }]);
  for (const { stop_min, ...machine } of MACHINES) {
    const base = `/api/v1/machines/${machine.id}`;
    await ok("POST", "/api/v1/machines", machine);
    await ok("PUT", `${base}/calendar`, {
      timezone: "UTC",
      shifts: [
        { name: "early", days: ["mon"], start: "06:00", end: "14:00" },
        { name: "late", days: ["mon"], start: "14:00", end: "22:00" },
      ],
    });
    await ok("PUT", `${base}/cycle-times`, [{ valid_from: "2026-01-01T00:00:00Z", ideal_cycle_s: 60 }]);
    await ok("PUT", `${base}/policy`, { target_oee: 0.75 });
    await ok("POST", `${base}/lots`, { lot: "L1", part: "A", from: at("06:00") });
    await ok("POST", `${base}/lots`, { lot: "L2", part: "B", from: at("10:00") });
    const end = `${String(9 + Math.floor(stop_min / 60)).padStart(2, "0")}:${String(stop_min % 60).padStart(2, "0")}`;
    const observations = [
      ["execution", "06:00", "ACTIVE"],
      ["part_count", "06:00", 0],
      ["execution", "09:00", "INTERRUPTED"],
      ["execution", end, "ACTIVE"],
      ["part_count", "09:59", 150],
      ["part_count", "13:59", 350],
      ["part_count", "17:59", 500],
      ["execution", "18:00", "READY"],
      ["execution", "22:00", "READY"],
    ].map(([signal, time, value]) => ({ signal, ts: at(String(time)), value }));
    await ok("POST", `/internal/machines/${machine.id}/data`, { observations });
    await ok("POST", `${base}/rejects`, { ts: at("09:59"), count: 10 });
  }
  await ok("POST", "/api/v1/machines/mill-1/downtime", {
    from: at("09:00"),
    to: at("09:30"),
    reason: "tool",
  });
  await server.settled();
}
