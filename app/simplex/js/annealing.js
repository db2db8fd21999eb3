// τ falls by a schedule: played, paused, or moved by hand. At its end it rests.

import { SCHEDULES } from "./schedules.js";

const SECONDS = 8; // that an annealing takes

export class Annealing {
  constructor(button, stage) {
    this.button = button;
    this.stage = stage;
    this.step = 0; // as a share of all
    this.playing = false;
    button.addEventListener("click", () => (this.playing ? this.pause() : this.play()));
  }

  /** Begin by itself, except where the user's system asks for little motion. */
  start(schedule) {
    this.stage.set("schedule", schedule);
    if (!matchMedia("(prefers-reduced-motion: reduce)").matches) this.play();
  }

  play() {
    if (this.step >= 1) this.step = 0;
    Object.assign(this, { playing: true, before: null });
    this.stage.changed();
  }

  pause() {
    if (!this.playing) return;
    this.playing = false;
    this.stage.settled();
    this.stage.changed();
  }

  seek(share) {
    this.playing = false;
    this.step = share;
    this.apply();
    this.stage.later();
    this.stage.changed();
  }

  rewind() { this.step = 0; }

  apply() {
    const { state } = this.stage;
    state.tau = Number(SCHEDULES[state.schedule].tau(this.step).toPrecision(4));
  }

  /** One display frame on; `now` in ms. */
  advance(now) {
    if (!this.playing) return;
    this.step = Math.min(1, this.step + (this.before === null ? 0 : Math.min(now - this.before, 100) / 1000 / SECONDS));
    this.before = now;
    this.apply();
    if (this.step < 1) this.stage.changed();
    else this.pause();
  }

  /** Show on its button what a click does. */
  reflect() {
    const text = this.playing ? "Pause the annealing" : "Play the annealing";
    if (this.button.title !== text) Object.assign(this.button, { ariaLabel: text, title: text });
  }
}
