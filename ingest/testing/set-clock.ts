// For tests: a host whose clock somebody sets, and whose time goes on when the test says so.
import { HostClock } from "../clock.ts";

export class SetClock {
  wall_ms: number;
  running_ms = 0;
  readonly told: string[] = [];

  constructor(at = "2026-01-05T06:00:00Z") {
    this.wall_ms = Date.parse(at);
  }

  /** What the program asks instead of the host. */
  readonly seam = {
    wall_ms: (): number => this.wall_ms,
    running_ms: (): number => this.running_ms,
    log: (line: string): void => void this.told.push(line),
  };

  clock(): HostClock {
    return new HostClock(this.seam);
  }

  run(ms: number): void {
    this.wall_ms += ms;
    this.running_ms += ms;
  }

  /** Somebody sets it; no time goes by. */
  set(by_ms: number): void {
    this.wall_ms += by_ms;
  }
}
