// Pointing at a trajectory lights it and reads it; where the picture turns, dragging turns it.

import { brief } from "./plot.js";

const NEAR = 14; // CSS pixels within which a trajectory is pointed at
const AHEAD = { ArrowRight: 1, ArrowLeft: -1 };
const TILT = { ArrowUp: 1, ArrowDown: -1 };
const SPEED = 0.01; // radians a pixel

export class PhaseProbe {
  constructor(canvas, player) {
    Object.assign(this, { canvas, player, at: null, held: null, grip: null });
    canvas.addEventListener("pointermove", (event) => (this.grip ? this.drag(event) : this.set("at", this.find(event))));
    canvas.addEventListener("pointerdown", (event) => this.press(event));
    canvas.addEventListener("pointerleave", () => this.set("at", null));
    for (const type of ["pointerup", "pointercancel"]) canvas.addEventListener(type, (event) => this.release(event));
    canvas.addEventListener("dblclick", () => this.reset());
    canvas.addEventListener("keydown", (event) => event.key === "Escape" && this.hold(null));
  }

  set(name, what) {
    if (this[name] === what) return;
    this[name] = what;
    this.player.clock.refresh();
  }

  press(event) {
    if (event.button) return;
    this.start = [event.clientX, event.clientY];
    this.moved = false;
    if (!this.player.scene.projection.turns) return;
    this.canvas.setPointerCapture(event.pointerId);
    this.grip = this.start;
  }

  drag(event) {
    const { projection } = this.player.scene, [x, y] = this.grip;
    this.grip = [event.clientX, event.clientY];
    if (Math.hypot(event.clientX - this.start[0], event.clientY - this.start[1]) > 3) this.moved = true;
    projection.turn(SPEED * (event.clientX - x), SPEED * (event.clientY - y));
    this.player.clock.refresh();
  }

  release(event) {
    this.grip = null;
    if (event.type === "pointerup" && !this.moved && event.button === 0) this.hold(this.find(event));
  }

  reset() {
    this.player.scene.projection.reset();
    this.player.clock.refresh();
  }

  hold(what) {
    this.set("held", what === this.held ? null : what);
    this.player.describe();
  }

  /** The keyboard's pointer: shift and ← → go from trajectory to trajectory, shift and ↑ ↓ tilt. */
  step(key) {
    if (key in TILT) {
      this.player.scene.projection.turn(0.1 * TILT[key], 0);
      this.player.clock.refresh();
      return;
    }
    const { number } = this.player.film;
    this.hold(((this.held ?? -Math.max(AHEAD[key], 0)) + AHEAD[key] + number) % number);
  }

  /** The trajectory whose line passes nearest to the pointer. */
  find(event) {
    const { player: { moment, scene, film } } = this, box = this.canvas.getBoundingClientRect(), p = scene.projection;
    if (!moment || moment.time === undefined) return null;
    const [x, y] = [event.clientX - box.left, event.clientY - box.top], depth = film.dimensions;
    let best = null, least = NEAR * NEAR;
    const scan = (states, times, clocked) => {
      for (let k = 0; k < times.length; k++) {
        const t = clocked ? scene.axis(k, times[k]) : times[k];
        for (let i = 0; i < film.number; i++) {
          p.put(t, states, (k * film.number + i) * depth);
          const distance = (p.px - x) ** 2 + (p.py - y) ** 2;
          if (distance < least) [best, least] = [i, distance];
        }
      }
    };
    if (film.flow) scan(film.flow, film.times, true);
    if (moment.variant) scan(moment.states, moment.variant.times, false);
    return best;
  }

  /** What is pointed at now, else what was clicked. */
  chosen() {
    const what = this.at ?? this.held;
    return what !== null && what < this.player.film.number ? what : null;
  }

  words(i) {
    const { player: { moment, film } } = this, depth = film.dimensions;
    if (i === null || !moment) return "";
    const place = (z) => `(${Array.from({ length: depth }, (_, d) => brief(z[i * depth + d])).join(", ")})`, parts = [];
    if (film.flow) parts.push(`z(${this.player.timeText()}) = ${place(moment.heads)}`);
    if (moment.variant && moment.begun) parts.push(`${moment.variant.label || "line"}: ${place(moment.ends)}`);
    const gap = moment.gap(i);
    if (Number.isFinite(gap)) parts.push(`apart ${brief(gap)}`);
    return `Trajectory ${i + 1}: ${parts.join("; ")}`;
  }
}
