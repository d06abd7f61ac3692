// The shift's timeline under a finger: what is touched tells of itself, and a stop leads to its reason.
import type { State } from "../../../domain/state-rules.ts";
import { clock, duration } from "../../format.ts";
import { text } from "../../text.ts";
import { find, timezone, write } from "../screen.ts";
import { openReasons } from "./entry.ts";

/** A stop that is narrower than a finger is hit from this far. */
const NEAR_PX = 24;

export function listenForStops(): void {
  document.addEventListener("click", ({ target, clientX }) => {
    const band = target instanceof Element && target.closest(".machine-timeline .timeline-band");
    const piece = band ? nearest(band, clientX) : undefined;
    if (piece) show(piece);
  });
}

function show({ dataset }: SVGElement): void {
  const { state = "UNKNOWN", from = "", to = "", why = "" } = dataset;
  const [from_ms, to_ms] = [Date.parse(from), Date.parse(to)];
  const words = [
    text.states[state as State],
    `${clock(from_ms, timezone)}–${clock(to_ms, timezone)}`,
    duration((to_ms - from_ms) / 1000),
    why,
  ];
  const said = words.filter(Boolean).join(" · ");
  write(find("[data-touched]"), said);
  // The stop that goes on has no end yet: its reason holds until the machine runs.
  const now = find("input[name=stop][data-stop-to='']")?.dataset.stopFrom ?? "";
  if (state !== "RUNNING")
    openReasons(said, now !== "" && from >= now ? { from: now, to: "" } : { from, to });
}

/** The stop nearest to the finger, if one is near; else whatever lies under it. */
function nearest(band: Element, x: number): SVGElement | undefined {
  const pieces = [...band.querySelectorAll<SVGElement>(".timeline-state")].map((piece) => {
    const { left, right } = piece.getBoundingClientRect();
    return { piece, px: Math.max(left - x, x - right, 0) };
  });
  pieces.sort((a, b) => a.px - b.px);
  const stop = pieces.find(({ piece, px }) => piece.dataset.state !== "RUNNING" && px <= NEAR_PX);
  return (stop ?? pieces.find(({ px }) => px === 0))?.piece;
}
