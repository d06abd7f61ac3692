// From calendar time to fully productive time: what is left after each loss, as bars.
/** @jsxImportSource preact */
import { duration } from "../format.ts";
import type { OeeRow } from "../model.ts";
import { text } from "../text.ts";

type Name = keyof typeof text.explain.steps;
type Step = { name: Name; time_s: number; from_s: number; is_loss: boolean };

/** What falls away without being lost. */
const NO_LOSS: Name[] = ["notScheduled", "excluded"];

/** Level after level, each loss between them; without ideal cycle times it ends with run time. */
export function stepsOf(row: OeeRow): Step[] {
  const steps: Step[] = [];
  let left_s = row.calendar_time_s;
  const level = (name: Name, time_s: number) => {
    left_s = time_s;
    steps.push({ name, time_s, from_s: 0, is_loss: false });
  };
  const loss = (name: Name, time_s: number | null) => {
    if (time_s === null || time_s === 0) return;
    left_s -= time_s;
    steps.push({ name, time_s, from_s: left_s, is_loss: true });
  };
  level("calendar", row.calendar_time_s);
  loss("notScheduled", row.calendar_time_s - row.scheduled_time_s);
  level("scheduled", row.scheduled_time_s);
  loss("excluded", row.scheduled_time_s - row.planned_time_s);
  level("planned", row.planned_time_s);
  loss("breakdown", row.breakdown_loss_s);
  loss("setup", row.setup_loss_s);
  loss("minor", row.minor_stop_loss_s);
  loss("other", row.other_stop_loss_s);
  loss("unknown", row.unknown_loss_s);
  level("run", row.run_time_s);
  if (row.speed_loss_s === null) return steps;
  loss("speed", row.speed_loss_s);
  loss("startup", row.startup_reject_loss_s);
  loss("reject", row.reject_loss_s);
  level("productive", left_s);
  return steps;
}

const percentOf = (part_s: number, whole_s: number): string =>
  `${(whole_s > 0 ? Math.min(100, Math.max(0, (100 * part_s) / whole_s)) : 0).toFixed(2)}%`;

export function Waterfall({ row }: { row: OeeRow }) {
  const steps = stepsOf(row);
  const whole_s = Math.max(row.calendar_time_s, ...steps.map(({ time_s }) => time_s));
  return (
    <dl class="waterfall">
      {steps.map(({ name, time_s, from_s, is_loss }) => (
        <div key={name} class={is_loss ? "fall" : "level"}>
          <dt>{is_loss ? `− ${text.explain.steps[name]}` : text.explain.steps[name]}</dt>
          <dd class="fall-bar">
            <svg class="meter" aria-hidden="true">
              <rect class="meter-ground" width="100%" height="100%" />
              <rect
                class={NO_LOSS.includes(name) ? "fall-none" : is_loss ? "fall-loss" : "meter-fill"}
                x={percentOf(Math.min(from_s, from_s + time_s), whole_s)}
                width={percentOf(Math.abs(time_s), whole_s)}
                height="100%"
              />
            </svg>
          </dd>
          <dd class="num">{signed(time_s)}</dd>
        </div>
      ))}
    </dl>
  );
}

/** A speed "loss" below zero is time gained: faster than the ideal cycle. */
const signed = (time_s: number): string => (time_s < 0 ? `−${duration(-time_s)}` : duration(time_s));
