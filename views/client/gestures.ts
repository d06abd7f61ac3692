// Fingers and wheels on the charts: one finger moves time, two stretch it, a wheel stretches it about the pointer.

export type Gestures = {
  /** Moves by a part of the chart's width; to the right is above zero. */
  move: (part: number) => void;
  /** Shows `factor` times the time about a place, 0 the left edge and 1 the right one. */
  zoom: (factor: number, at: number) => void;
  /** The fingers are off. */
  done: () => void;
};

/** A finger that is put down trembles: this much is no move yet. */
const SLACK_PX = 8;
const WHEEL_STEP = 1.2;

/** @param plotIn the element of a chart on which time is laid out, by what was touched */
export function listen(
  root: HTMLElement,
  plotIn: (target: EventTarget | null) => Element | null,
  { move, zoom, done }: Gestures,
): void {
  /** Where each finger is, in the chart's width. */
  const fingers = new Map<number, number>();
  let box: DOMRect | undefined;
  let isMoving = false;
  let from_px = 0;
  const at = (event: PointerEvent | WheelEvent, { left, width }: DOMRect) => (event.clientX - left) / width;

  root.addEventListener("pointerdown", (event) => {
    const plot = plotIn(event.target);
    if (!plot || event.button !== 0) return;
    if (fingers.size === 0) {
      box = plot.getBoundingClientRect();
      isMoving = false;
      from_px = event.clientX;
    }
    if (box && fingers.size < 2) fingers.set(event.pointerId, at(event, box));
  });
  document.addEventListener(
    "pointermove",
    (event) => {
      const before = fingers.get(event.pointerId);
      if (before === undefined || !box) return;
      const now = at(event, box);
      const [other] = [...fingers].filter(([id]) => id !== event.pointerId).map(([, place]) => place);
      isMoving ||= other !== undefined || Math.abs(event.clientX - from_px) > SLACK_PX;
      if (!isMoving) return;
      fingers.set(event.pointerId, now);
      if (other === undefined) return move(now - before);
      const apart = Math.max(0.02, Math.abs(now - other));
      zoom(Math.abs(before - other) / apart, (now + other) / 2);
    },
    { passive: true },
  );
  const lift = (event: PointerEvent) => {
    if (fingers.delete(event.pointerId) && isMoving && fingers.size === 0) done();
  };
  document.addEventListener("pointerup", lift);
  document.addEventListener("pointercancel", lift);
  root.addEventListener(
    "wheel",
    (event) => {
      const plot = plotIn(event.target);
      if (!plot || event.deltaY === 0) return;
      event.preventDefault();
      zoom(event.deltaY > 0 ? WHEEL_STEP : 1 / WHEEL_STEP, at(event, plot.getBoundingClientRect()));
      done();
    },
    { passive: false },
  );
}
