// The plant wall: every machine as a tile, what needs a hand first.
/** @jsxImportSource preact */

import { StateIcon } from "../components/state.tsx";
import { Tile, TileFigures } from "../components/tile.tsx";
import { Welcome } from "../components/welcome.tsx";
import { BY_NEED, byNeed } from "../facts.ts";
import { clock } from "../format.ts";
import { Layout, LinkBand } from "../layout.tsx";
import type { HmiTile, HmiWallFiguresProps, HmiWallProps, WallGroups } from "../model.ts";
import { text } from "../text.ts";

export function HmiWall({ shell, machines, groups, group }: HmiWallProps) {
  const sorted = machines.toSorted((a, b) =>
    byNeed({ ...a, state: a.live.state }, { ...b, state: b.live.state }),
  );
  return (
    <Layout
      shell={shell}
      title={text.wall.title}
      theme="hmi"
      here="wall"
      kiosk={machines.length > 0 || group !== null}
      scripts={["htmx.js", "wall.js"]}
      header={
        <>
          {machines.length > 0 && <Counts machines={machines} />}
          <time class="wall-clock" data-clock>
            {clock(shell.now_ms, shell.timezone)}
          </time>
        </>
      }
    >
      <LinkBand />
      <main id="main" class="wall" data-stream={`/api/v1/stream${groupQuery(group)}`}>
        {machines.length > 0 && <h1 class="only-heard">{text.wall.title}</h1>}
        {groups.length > 0 && <Groups groups={groups} group={group} />}
        {machines.length === 0 && group !== null && <p class="hint">{text.wall.emptyGroup}</p>}
        {machines.length === 0 && group === null ? (
          <Welcome shell={shell} />
        ) : (
          <ul class={`tiles ${grid(machines.length)}`} id="tiles" aria-label={text.wall.machines}>
            {sorted.map((tile) => (
              <Tile key={tile.live.machine_id} tile={tile} shell={shell} />
            ))}
          </ul>
        )}
        <div hx-get={`/hmi/figures${groupQuery(group)}`} hx-trigger="every 10s" hx-swap="none" />
        <Known ids={machines.map(({ live }) => live.machine_id)} />
      </main>
    </Layout>
  );
}

/** The figures of every tile, swapped into their places by id. */
export function HmiWallFigures({ shell, figures }: HmiWallFiguresProps) {
  return (
    <>
      <Known ids={figures.map(({ machine_id }) => machine_id)} />
      {figures.map((figure) => (
        <div
          key={figure.machine_id}
          class="tile-figures"
          id={`figures-${figure.machine_id}`}
          hx-swap-oob="true"
        >
          <TileFigures figures={figure} shell={shell} />
        </div>
      ))}
    </>
  );
}

const groupQuery = (group: string | null): string =>
  group === null ? "" : `?${new URLSearchParams({ group })}`;

/** A hall has a wall of its own, by its address. */
function Groups({ groups, group }: WallGroups) {
  return (
    <nav class="groups" aria-label={text.wall.groups}>
      {[null, ...groups].map((one) => (
        <a
          key={one}
          class="choice"
          href={`/hmi${groupQuery(one)}`}
          aria-current={one === group ? "page" : undefined}
        >
          {one ?? text.wall.allGroups}
        </a>
      ))}
    </nav>
  );
}

/** Which machines the server knows: where they are not the tiles shown, the browser loads the wall anew. */
function Known({ ids }: { ids: readonly string[] }) {
  return <div id="machines" hidden data-machines={JSON.stringify(ids)} hx-swap-oob="true" />;
}

/** How many machines are in each state; a state nobody is in stays faint, in its place. */
function Counts({ machines }: { machines: readonly HmiTile[] }) {
  return (
    <ul class="counts" aria-label={text.wall.counts}>
      {BY_NEED.map((state) => {
        const count = machines.filter(({ live }) => live.state === state).length;
        return (
          <li key={state} class="count" data-count={state} data-state={state} data-empty={count === 0}>
            <StateIcon state={state} />
            <b>{count}</b> <span>{text.states[state]}</span>
          </li>
        );
      })}
    </ul>
  );
}

/** Columns and rows that let the tiles fill a 16:9 screen; beyond five rows the wall scrolls. */
function grid(tiles: number): string {
  const sizes = [
    [2, 2],
    [6, 3],
    [12, 4],
    [20, 5],
    [30, 6],
  ] as const;
  const columns = sizes.find(([most]) => tiles <= most)?.[1] ?? 8;
  return `tiles-${columns} rows-${Math.min(5, Math.ceil(tiles / columns))}`;
}
