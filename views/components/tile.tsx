// One machine on the wall: how it stands, since when, what it makes, how the shift goes.
/** @jsxImportSource preact */
import type { LiveMachine } from "../../ingest/live/live.ts";
import { freshness, partOf } from "../facts.ts";
import { ms, number, percent, timer } from "../format.ts";
import type { HmiTile, Shell, ShiftFigures } from "../model.ts";
import { text } from "../text.ts";
import { heardText, note, sinceText } from "../wording.ts";
import { Bar } from "./oee.tsx";
import { StateIcon } from "./state.tsx";
import { Timeline } from "./timeline.tsx";

export function Tile({ tile, shell }: { tile: HmiTile; shell: Shell }) {
  const { live, name, figures } = tile;
  return (
    <li
      class="tile"
      data-live
      data-machine={live.machine_id}
      data-name={name}
      data-state={live.state}
      data-age={freshness(shell.now_ms - live.heard_ms)}
    >
      <a href={`/hmi/${encodeURIComponent(live.machine_id)}`}>
        <h2 class="tile-name">{name}</h2>
        <StateLine live={live} now_ms={shell.now_ms} />
        <p class="tile-part">
          <b class="tile-note" data-note>
            {note(live)}
          </b>
          <span>
            <span class="label">{text.wall.part}</span> <span data-part>{partOf(live) || text.none}</span>
          </span>
        </p>
        <div class="tile-figures" id={`figures-${live.machine_id}`}>
          <TileFigures figures={figures} shell={shell} />
        </div>
        <p class="tile-age">
          <span data-since-text>{sinceText(live, shell)}</span>
          <span>
            {text.wall.data}{" "}
            <span class="age" data-heard-text>
              {heardText(live.heard_ms, shell.now_ms)}
            </span>
          </span>
        </p>
      </a>
    </li>
  );
}

/** Shape, word and running timer; the browser code keeps them current by their `data-` names. */
export function StateLine({ live, now_ms }: { live: LiveMachine; now_ms: number }) {
  return (
    <p class="state-line">
      <StateIcon state={live.state} />
      <span class="state-word" data-word>
        {text.states[live.state]}
      </span>
      <span class="state-timer" data-timer>
        {live.since_us > 0 ? timer(now_ms - live.since_us / 1000) : text.none}
      </span>
    </p>
  );
}

/** Shift figures of a tile: the part of it that htmx refreshes. */
export function TileFigures({ figures, shell }: { figures: ShiftFigures | null; shell: Shell }) {
  const oee = figures?.oee ?? null;
  const shift = figures?.shift.name || text.wall.thisShift;
  return (
    <>
      {figures && (
        <Timeline
          from_ms={ms(figures.shift.from)}
          to_ms={ms(figures.shift.to)}
          now_ms={shell.now_ms}
          states={figures.states}
          gaps={figures.gaps}
          timezone={shell.timezone}
          size="small"
        />
      )}
      <dl class="tile-numbers">
        <PartsOfTarget figures={figures} shift={shift} />
        <div>
          <dt title={text.wall.oeeOf(shift)}>{text.wall.oee}</dt>
          <dd>{percent(oee?.oee ?? null, 0)}</dd>
          <dd class="tile-bar">
            <Bar ratio={oee?.oee ?? null} label={text.wall.oeeOf(shift)} />
          </dd>
        </div>
      </dl>
    </>
  );
}

/** Good parts against what there should be by now: "412 / 470" and a bar. */
function PartsOfTarget({ figures, shift }: { figures: ShiftFigures | null; shift: string }) {
  const good = figures?.oee?.good_count ?? null;
  const target = figures?.target ?? null;
  const parts = target && Math.round(target.parts);
  const ratio = target && target.parts > 0 && good !== null ? Math.min(1, good / target.parts) : null;
  const words = text.wall.partsOf[target?.kind ?? "possible"];
  return (
    <div>
      <dt title={words.title(shift)}>{words.label}</dt>
      <dd>
        {number(good)} <small>/ {number(parts)}</small>
      </dd>
      <dd class="tile-bar">
        <Bar ratio={ratio} label={words.title(shift)} />
      </dd>
    </div>
  );
}
