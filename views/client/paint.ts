// What the charts share: colours from the design tokens, and hatching for time that is not known.
import uPlot from "uplot";

/** A design token's value, e.g. `--text`. */
export const token = (name: string): string =>
  getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export const FONT = '13px system-ui, "Segoe UI", Roboto, "Liberation Sans", sans-serif';

/** Axis in the tokens' colours. */
export const axis = (more: uPlot.Axis = {}): uPlot.Axis => ({
  stroke: token("--muted"),
  font: FONT,
  grid: { stroke: token("--grid"), width: 1 },
  ticks: { stroke: token("--grid"), width: 1, size: 4 },
  ...more,
});

/** Lines that hold a value until the next. */
export const steps: uPlot.Series.PathBuilder = uPlot.paths.stepped?.({ align: 1 }) ?? (() => null);

/** Hatches spans of the x axis (in its own units) over the whole height of a plot. */
export function hatch(plot: uPlot, spans: readonly (readonly [number, number])[]): void {
  const { ctx, bbox } = plot;
  const scale = plot.scales.x;
  const [min, max] = [scale?.min ?? 0, scale?.max ?? 0];
  ctx.save();
  for (const [from, to] of spans) {
    if (to <= min || from >= max) continue;
    const x0 = plot.valToPos(Math.max(from, min), "x", true);
    const x1 = plot.valToPos(Math.min(to, max), "x", true);
    ctx.beginPath();
    ctx.rect(x0, bbox.top, Math.max(1, x1 - x0), bbox.height);
    ctx.fillStyle = hatchPattern(ctx);
    ctx.fill();
  }
  ctx.restore();
}

const patterns = new Map<string, CanvasPattern>();

function hatchPattern(ctx: CanvasRenderingContext2D): CanvasPattern | string {
  const [ground, line] = [token("--hatch-ground"), token("--hatch-line")];
  const known = patterns.get(ground + line);
  if (known) return known;
  const cell = document.createElement("canvas");
  cell.width = cell.height = 10;
  const paint = cell.getContext("2d");
  if (!paint) return ground;
  paint.fillStyle = ground;
  paint.fillRect(0, 0, 10, 10);
  paint.strokeStyle = line;
  paint.lineWidth = 2.5;
  paint.beginPath();
  for (const shift of [-10, 0, 10]) {
    paint.moveTo(shift - 1, 11);
    paint.lineTo(shift + 11, -1);
  }
  paint.stroke();
  const pattern = ctx.createPattern(cell, "repeat");
  if (!pattern) return ground;
  patterns.set(ground + line, pattern);
  return pattern;
}
