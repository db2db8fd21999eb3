// One film on the page: it receives messages from Python, holds what the user chose, and draws.

import { clockOf, indexOf, timeAt } from "./clock.js";
import { Controls } from "./controls.js";
import { readDensity } from "./density.js";
import { drawLegend } from "./legend.js";
import { LAYERS, Stage } from "./stage.js";
import { Pointer } from "./pointer.js";
import { gunzip, unpack } from "./unpack.js";

const PANEL = 264; // where this much is left beside the picture, the settings stand there
const COMPACT = 400; // a picture narrower than that has its slider on a line of its own
const films = (globalThis.dgmFilms ??= new Map()); // by digest, so that a film that was seen need not come again

/** Times of whole numbers, such as training steps, are shown without decimals. */
const decimals = (times) => (times.length > 1 && times.at(-1) > 2 && times.every((t) => Number.isInteger(t)) ? 0 : 2);

/** The arrays of a film, ready to draw. */
async function decode(bytes) {
  const { meta, arrays } = unpack(await gunzip(bytes)), [, height, width] = arrays.q.shape;
  const peaks = arrays.peaks.data;
  return { extent: meta.extent, speed: meta.speed, times: arrays.times.data,
    digits: decimals(arrays.times.data), q: arrays.q.data, peaks, width, height,
    peak: peaks.reduce((a, b) => Math.max(a, b)), particles: arrays.particles, arrows: arrays.arrows, grid: arrays.grid };
}

function remember(digest, film) {
  films.delete(digest);
  films.set(digest, film);
  for (const oldest of films.keys()) {
    if (films.size <= 6) break;
    films.delete(oldest);
  }
}

const dark = (colour) => {
  const [r, g, b] = (colour.match(/[\d.]+/g) ?? [255, 255, 255]).map(Number);
  return 0.299 * r + 0.587 * g + 0.114 * b < 128;
};

class Player {
  constructor(root) {
    this.root = root;
    this.find = (name) => root.querySelector(`.${name}`);
    this.film = null;
    this.options = {};
    this.overlays = {};
    this.chosen = {}; // what the user set here; it stays until Python sets the same thing anew
    this.shown = new Set();
    this.look = {};
    this.turn = 0;
    this.stage = new Stage(this.find("stage"));
    this.clock = clockOf(null);
    this.controls = new Controls(root, this);
    this.pointer = new Pointer(this.find("stage"), this);
    this.find("unzoom").addEventListener("click", () => this.unzoom());
    this.watcher = new ResizeObserver(() => this.resize());
    this.watcher.observe(root);
    this.sight = new IntersectionObserver(([entry]) => {
      this.visible = entry.isIntersecting;
      if (this.visible) this.clock.refresh();
    });
    this.visible = true;
    this.sight.observe(root);
  }

  get times() { return this.film ? this.film.times : [0]; }

  get index() { return indexOf(this.times, this.clock.time); }

  destroy() {
    this.watcher.disconnect();
    this.sight.disconnect();
    this.clock.leave(this);
  }

  async receive(bytes) {
    const turn = ++this.turn, { meta: options, arrays } = unpack(bytes);
    let film = films.get(options.digest);
    if (!film && this.options.digest === options.digest) film = this.film;
    if (!film && arrays.film) film = await decode(arrays.film.data);
    if (turn !== this.turn) return; // a newer message has overtaken this one
    if (!film) {
      this.send("want", options.digest, true);
      return;
    }
    remember(options.digest, film);
    delete arrays.film;
    this.show(film, options, arrays);
  }

  show(film, options, overlays) {
    const before = this.options, first = !this.film, wasAtEnd = first || this.clock.index >= this.clock.last - 1e-6;
    for (const name of Object.keys(this.chosen))
      if (!first && JSON.stringify(before[name]) !== JSON.stringify(options[name])) delete this.chosen[name];
    if (!first && JSON.stringify(before.layers) !== JSON.stringify(options.layers))
      for (const [name] of LAYERS) delete this.chosen[name];
    Object.assign(this, { film, options, overlays });
    if (first || before.sync !== options.sync) this.adoptClock();
    for (const name of ["speed", "loop"])
      if (first ? this.clock.members.size === 1 : before[name] !== options[name]) this.clock[name] = options[name];
    this.place(first, options.follow && wasAtEnd);
    if (!first && String(film.extent) !== String(this.extent)) this.view = null;
    this.extent = film.extent;
    this.view ??= [...film.extent];
    this.restyle();
    this.arrange();
    this.resize();
    this.controls.reflect();
    this.describe();
    this.root.dataset.ready = "true";
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (first && options.autoplay && !calm) this.clock.play();
    this.clock.refresh();
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

  restyle() {
    const style = getComputedStyle(this.root), night = dark(style.getPropertyValue("background-color"));
    this.root.dataset.theme = night ? "dark" : "light";
    this.root.dataset.classroom = String(Boolean(this.options.classroom));
    this.text = style.color;
    this.night = night;
    this.find("title").textContent = this.options.title;
    const widest = Math.max(this.timeText(0).length, this.timeText(this.times.length - 1).length);
    this.root.style.setProperty("--digits", `${widest}ch`); // the clock keeps its width
    this.find("title").hidden = !this.options.title;
    this.find("time-label").textContent = this.options.time_label;
    this.root.setAttribute("aria-label", this.options.title || this.options.alt);
  }

  /** Which layers and which look: the user's choice, else Python's. */
  arrange() {
    const { film, options, overlays, chosen } = this;
    const has = { density: true, points: overlays.points, arrows: film.arrows, grid: film.grid,
      particles: film.particles, path: overlays.path };
    const layers = LAYERS.filter(([name]) => has[name]);
    this.shown = new Set(layers.map(([name]) => name).filter((name) => chosen[name] ?? options.layers.includes(name)));
    const look = {};
    for (const name of ["scale", "normalise", "colours"]) look[name] = chosen[name] ?? options[name];
    look.range = options.log_range;
    look.key = JSON.stringify(look);
    this.look = look;
    this.controls.arrange(layers, options.ends);
    this.find("legend").style.visibility = this.shown.has("density") ? "" : "hidden";
    drawLegend(this.find("legend"), film, look);
  }

  choose(name, value) {
    this.chosen[name] = value;
    this.arrange();
    this.controls.reflect();
    this.describe();
    this.clock.refresh();
  }

  resize() {
    if (!this.film) return;
    const [x0, x1, y0, y1] = this.film.extent, aspect = (x1 - x0) / (y1 - y0), room = this.root.clientWidth;
    if (!room) return; // in a tab that is not shown
    const legend = parseFloat(getComputedStyle(this.root).getPropertyValue("--legend"));
    const width = Math.max(120, Math.min(room - legend, this.options.height * aspect));
    this.root.dataset.wide = String(room >= width + legend + PANEL);
    this.root.dataset.compact = String(width < COMPACT);
    this.root.style.setProperty("--stage", `${Math.floor(width)}px`);
    this.stage.resize(Math.floor(width), Math.floor(width / aspect));
    this.drawNow();
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

  unzoom() {
    this.view = [...this.film.extent];
    this.clock.refresh();
  }

  moveProbe(key) { this.pointer.nudge(key); }

  pickProbe() { this.pointer.pickProbe(); }

  /** To Python; `trigger` for what counts once. */
  send(name, value, trigger = false) {
    (trigger ? this.setTriggerValue : this.setStateValue)?.(name, value);
  }

  pick(point) {
    this.mark = point;
    this.send("point", { x: point[0], y: point[1], t: this.clock.time, has: this.options.digest });
    this.clock.refresh();
  }

  timeText(index = this.index) {
    const { times } = this, time = timeAt(times, index);
    return (this.film.digits ? time.toFixed(this.film.digits) : Math.round(time).toLocaleString("en")).replace("-", "−");
  }

  /** The text alternative: what is shown, and when. */
  describe() {
    if (!this.film) return;
    const names = LAYERS.filter(([name]) => this.shown.has(name)).map(([, text]) => text.toLowerCase());
    const now = `${this.options.time_label} = ${this.timeText()}, frame ${Math.round(this.index) + 1} of ${this.times.length}`;
    this.find("stage").setAttribute("aria-label", `${this.options.alt} Shown: ${names.join(", ") || "nothing"}; ${now}.`);
    if (!this.clock.playing) this.controls.say(now);
  }

  drawNow() {
    if (this.film) this.paint();
  }

  draw() {
    if (this.film && this.visible) this.paint();
  }

  paint() {
    const index = this.index, onDensity = this.shown.has("density"), night = onDensity || this.night;
    const shade = night ? "dark" : "light", accents = {};
    for (const [name, colour] of Object.entries(this.options.accents)) accents[name] = colour[shade];
    this.stage.draw({ film: this.film, index, look: this.look, view: this.view, shown: this.shown, overlays: this.overlays,
      accents, ink: night ? "#fff" : this.text, halo: night ? "#000" : "#fff", bold: this.options.classroom,
      ellipseRadius: this.options.ellipse_radius, mark: this.overlays.path ? null : this.mark });
    this.controls.follow(this.clock.index, this.clock.last, this.timeText());
    this.root.dataset.index = index.toFixed(4);
    this.find("unzoom").hidden = String(this.view) === String(this.film.extent);
    this.pointer.read(index, (x, y) => readDensity(this.film, index, x, y));
  }
}

const players = new WeakMap();

/** Streamlit calls this at every new message and every change of theme, on the same element. */
export default function mount({ data, parentElement, setStateValue, setTriggerValue }) {
  const root = parentElement.querySelector(".film");
  let player = players.get(root);
  if (!player) players.set(root, (player = new Player(root)));
  Object.assign(player, { setStateValue, setTriggerValue });
  player.receive(data);
  return () => {
    player.destroy();
    players.delete(root);
  };
}
