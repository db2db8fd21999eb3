// What every player has: a clock that it may share, a memory of what came from Python, and its place in time.

import { clockOf, indexOf, timeAt } from "./clock.js";

/** Times of whole numbers, such as training steps, are shown without decimals. */
export const decimals = (times) => (times.length > 1 && times.at(-1) > 2 && times.every((t) => Number.isInteger(t)) ? 0 : 2);

export const isDark = (colour) => {
  const [r, g, b] = (colour.match(/[\d.]+/g) ?? [255, 255, 255]).map(Number);
  return 0.299 * r + 0.587 * g + 0.114 * b < 128;
};

/** Keep a value under its digest, and the few most recent others. */
export function remember(store, digest, value) {
  store.delete(digest);
  store.set(digest, value);
  for (const oldest of store.keys()) {
    if (store.size <= 6) break;
    store.delete(oldest);
  }
}

/** A player has `film` ({ times, digits }), `options`, `controls` and the methods `resize`, `draw` and `describe`. */
export class Playing {
  constructor(root) {
    this.root = root;
    this.find = (name) => root.querySelector(`.${name}`);
    this.film = null;
    this.options = {};
    this.turn = 0;
    this.clock = clockOf(null);
    this.watcher = new ResizeObserver(() => this.resize());
    this.sight = new IntersectionObserver(([entry]) => {
      this.visible = entry.isIntersecting;
      if (this.visible) this.clock.refresh();
    });
    this.visible = true;
  }

  /** Begin to watch the element's size and whether it is seen. */
  watch() {
    this.watcher.observe(this.root);
    this.sight.observe(this.root);
  }

  destroy() {
    this.watcher.disconnect();
    this.sight.disconnect();
    this.clock.leave(this);
  }

  get times() { return this.film ? this.film.times : [0]; }

  get index() { return indexOf(this.times, this.clock.time); }

  get atEnd() { return !this.film || this.clock.index >= this.clock.last - 1e-6; }

  /** Follow what Python says of the clock, where it says something new. */
  setClock(before, first, wasAtEnd) {
    const { options } = this;
    if (first || before.sync !== options.sync) this.adoptClock();
    for (const name of ["speed", "loop"])
      if (first ? this.clock.members.size === 1 : before[name] !== options[name]) this.clock[name] = options[name];
    this.place(first, options.follow && wasAtEnd);
  }

  adoptClock() {
    const { time } = this.clock;
    this.clock.leave(this);
    this.clock = clockOf(this.options.sync);
    this.clock.time ??= time;
    this.clock.join(this);
  }

  /** Where to stand after new data: at the same time, or at the end of a film that grows. */
  place(first, follow) {
    const { clock, options, times } = this, last = times[times.length - 1];
    if (follow && !clock.playing) clock.time = last;
    else if (first && clock.members.size === 1) clock.time = options.time ?? times[0];
    clock.time = Math.min(Math.max(clock.time ?? times[0], times[0]), Math.max(last, clock.timeline.at(-1)));
  }

  /** Theme, title and the width of the clock. */
  dress() {
    const style = getComputedStyle(this.root), { options } = this;
    this.night = isDark(style.getPropertyValue("background-color"));
    this.text = style.color;
    this.root.dataset.theme = this.night ? "dark" : "light";
    this.root.dataset.classroom = String(Boolean(options.classroom));
    const widest = Math.max(this.timeText(0).length, this.timeText(this.times.length - 1).length);
    this.root.style.setProperty("--digits", `${widest}ch`); // the clock keeps its width
    this.find("title").textContent = options.title;
    this.find("title").hidden = !options.title;
    this.find("time-label").textContent = options.time_label;
    this.root.setAttribute("aria-label", options.title || options.alt);
  }

  /** Show the player, and play where that is asked for and the user's system allows it. */
  begin(first) {
    this.root.dataset.ready = "true";
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (first && this.options.autoplay && !calm) this.clock.play();
    this.clock.refresh();
  }

  scrub(index) {
    this.clock.pause();
    this.clock.seek(index);
  }

  /** Called when a scrub or a step has come to rest. */
  settled() {
    this.describe();
    if (this.options.report_time) this.send("time", this.clock.time);
  }

  clockChanged() {
    this.controls.reflect();
    if (!this.clock.playing) this.settled();
  }

  /** To Python; `trigger` for what counts once. */
  send(name, value, trigger = false) {
    (trigger ? this.setTriggerValue : this.setStateValue)?.(name, value);
  }

  timeText(index = this.index) {
    const time = timeAt(this.times, index), { digits } = this.film;
    return (digits ? time.toFixed(digits) : Math.round(time).toLocaleString("en")).replace("-", "−");
  }
}
