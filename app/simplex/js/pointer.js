// π is dragged with its handle, samples are pointed at on the picture; both with keys as well.

import { HEIGHT, toPlane, toProbabilities, toSimplex } from "./concrete.js";

const SNAP = 0.012; // closer to an edge than that, π lies on it
const NEAR = 14; // CSS pixels from a sample within which it is pointed at
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

export class Pointer {
  constructor(canvas, handle, stage) {
    Object.assign(this, { canvas, handle, stage });
    this.pinned = null; // a sample chosen by click or key
    this.near = null; // one under the pointer
    handle.addEventListener("pointerdown", (event) => this.grab(event));
    handle.addEventListener("pointermove", (event) => this.drag(event));
    for (const type of ["pointerup", "pointercancel", "lostpointercapture"]) handle.addEventListener(type, () => this.drop());
    handle.addEventListener("keydown", (event) => this.nudge(event));
    canvas.addEventListener("pointermove", (event) => this.look(event));
    canvas.addEventListener("pointerleave", () => this.point(null));
    canvas.addEventListener("click", (event) => this.pin(this.nearest(event)));
    canvas.addEventListener("keydown", (event) => this.walk(event));
  }

  get chosen() {
    const index = this.near ?? this.pinned;
    return index !== null && index < this.stage.state.samples ? index : null;
  }

  place(event) {
    const box = this.canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  grab(event) {
    if (event.button || !event.isPrimary) return;
    event.preventDefault();
    this.handle.focus({ preventScroll: true });
    this.handle.setPointerCapture(event.pointerId);
    const [x, y] = this.place(event), [hx, hy] = this.stage.picture.toScreen(toPlane(this.stage.state.pi));
    this.held = [x - hx, y - hy]; // where on the handle it is held
  }

  drag(event) {
    if (!this.held || !event.isPrimary) return;
    const [x, y] = this.place(event), z = toSimplex(...this.stage.picture.fromScreen(x - this.held[0], y - this.held[1]));
    this.stage.set("pi", toProbabilities(z, SNAP), true);
  }

  drop() {
    if (!this.held) return;
    this.held = null;
    this.stage.settled();
  }

  /** An arrow key moves π by a hundredth of the side or, upwards, of the height; with shift by five. */
  nudge(event) {
    const move = MOVES[event.key];
    if (!move || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const step = event.shiftKey ? 0.05 : 0.01, [x, y] = toPlane(this.stage.state.pi);
    const z = toSimplex(x + move[0] * step, y + move[1] * step * HEIGHT);
    this.stage.set("pi", toProbabilities(z, 1e-4));
  }

  /** The sample closest to the pointer, or null. */
  nearest(event) {
    const { cloud, picture, places, shown } = this.stage;
    if (!cloud || !shown.has("cloud")) return null;
    const [x, y] = picture.fromScreen(...this.place(event)), reach = NEAR / picture.side;
    let best = null, least = reach * reach;
    for (let i = 0; i < cloud.count; i++) {
      const dx = places[2 * i] - x, dy = places[2 * i + 1] - y, distance = dx * dx + dy * dy;
      if (distance < least) [best, least] = [i, distance];
    }
    return best;
  }

  look(event) {
    if (event.pointerType !== "touch" && !this.held) this.point(this.nearest(event));
  }

  point(index) {
    if (this.near === index) return;
    this.near = index;
    this.stage.refresh();
  }

  pin(index) {
    this.pinned = index;
    this.stage.refresh();
    this.stage.describe();
  }

  /** Arrow keys on the picture go from sample to sample, Escape lets go. */
  walk(event) {
    const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key], { samples } = this.stage.state;
    if (event.key === "Escape") this.pin(null);
    else if (by) this.pin(this.pinned === null ? (by > 0 ? 0 : samples - 1) : (this.pinned + by + samples) % samples);
    else return;
    event.preventDefault();
  }
}
