// One film on the page: it receives messages from Python, holds what the user chose, and draws.

import { Controls, LOOK_SETTINGS } from "./controls.js";
import { readDensity } from "./density.js";
import { drawLegend } from "./legend.js";
import { decimals, Playing, remember } from "./playing.js";
import { LAYERS, Stage } from "./stage.js";
import { Pointer } from "./pointer.js";
import { gunzip, unpack } from "./unpack.js";

const PANEL = 264; // where this much is left beside the picture, the settings stand there
const COMPACT = 400; // a picture narrower than that has its slider on a line of its own
const films = (globalThis.dgmFilms ??= new Map()); // by digest, so that a film that was seen need not come again

/** The arrays of a film, ready to draw. */
async function decode(bytes) {
  const { meta, arrays } = unpack(await gunzip(bytes)), [, height, width] = arrays.q.shape;
  const peaks = arrays.peaks.data;
  return { extent: meta.extent, speed: meta.speed, times: arrays.times.data,
    digits: decimals(arrays.times.data), q: arrays.q.data, peaks, width, height,
    peak: peaks.reduce((a, b) => Math.max(a, b)), particles: arrays.particles, arrows: arrays.arrows, grid: arrays.grid };
}

class Player extends Playing {
  constructor(root) {
    super(root);
    this.overlays = {};
    this.chosen = {}; // what the user set here; it stays until Python sets the same thing anew
    this.shown = new Set();
    this.look = {};
    this.stage = new Stage(this.find("stage"));
    this.controls = new Controls(root, this);
    this.pointer = new Pointer(this.find("stage"), this);
    this.find("unzoom").addEventListener("click", () => this.unzoom());
    this.watch();
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
    remember(films, options.digest, film);
    delete arrays.film;
    this.show(film, options, arrays);
  }

  show(film, options, overlays) {
    const before = this.options, first = !this.film, wasAtEnd = this.atEnd;
    for (const name of Object.keys(this.chosen))
      if (!first && JSON.stringify(before[name]) !== JSON.stringify(options[name])) delete this.chosen[name];
    if (!first && JSON.stringify(before.layers) !== JSON.stringify(options.layers))
      for (const [name] of LAYERS) delete this.chosen[name];
    Object.assign(this, { film, options, overlays, placed: false });
    this.setClock(before, first, wasAtEnd);
    if (!first && String(film.extent) !== String(this.extent)) this.view = null;
    this.extent = film.extent;
    this.view ??= [...film.extent];
    this.dress();
    this.arrange();
    this.resize();
    this.controls.reflect();
    this.describe();
    this.begin(first);
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
    this.controls.arrange(layers, options.ends, LOOK_SETTINGS);
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
    this.placed = true;
    this.drawNow();
  }

  unzoom() {
    this.view = [...this.film.extent];
    this.clock.refresh();
  }

  moveProbe(key) { this.pointer.nudge(key); }

  pickProbe() { this.pointer.pickProbe(); }

  pick(point) {
    this.mark = point;
    this.send("point", { x: point[0], y: point[1], t: this.clock.time, has: this.options.digest });
    this.clock.refresh();
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
    if (this.placed && this.visible) this.paint(); // without room nothing has its place yet
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
