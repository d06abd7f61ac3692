// A part in shared work by leases: the pieces fall into the slots that this process holds.
import type { Share } from "../store.ts";
import { type Leases, slotOf } from "./leases.ts";

export function shareOf(leases: Leases): Share {
  let mine = new Set<number>();
  return {
    async balance(handOver) {
      const before = mine;
      const held = await leases.hold(async (staying) => {
        mine = new Set(staying);
        await handOver();
      });
      mine = new Set(held);
      return before.symmetricDifference(mine).size > 0;
    },
    has: (piece) => mine.has(slotOf("", piece)),
    standing: () => leases.standing(),
    tell: (words) => leases.tell(words),
    told: () => leases.told(),
    async release() {
      mine = new Set();
      await leases.release();
    },
  };
}
