// The simplex stage: it keeps the noise and what the user chose, and draws samples and density of the moment.

import { Annealing } from "./annealing.js";
import { Cloud, hasDensity, toPlane } from "./concrete.js";
import { PATHS, Picture } from "./picture.js";
import { Pointer } from "./pointer.js";
import { Panel } from "./settings.js";
import { Side, write } from "./side.js";
import { Temperature } from "./temperature.js";
import { unpack } from "./unpack.js";

const COARSE = 128, FINE = 320; // rows of the density while something moves, and at rest
const CALM = 160; // ms without a change that are rest
const BROADEST = 1.06; // times its height, as wide as the triangle's place becomes beside the bars
const WIDE = 740, MIDDLE = 560; // from these widths on bars stand beside the triangle, or side by side below it
const noises = (globalThis.dgmGumbelNoise ??= new Map()); // by seed, so that noise need not come again

function remember(seed, noise) {
  noises.set(seed, noise);
  for (const oldest of noises.keys()) {
    if (noises.size <= 12) break;
    noises.delete(oldest);
  }
}

const isNight = (colour) => {
  const [r, g, b] = (colour.match(/[\d.]+/g) ?? [255, 255, 255]).map(Number);
  return 0.299 * r + 0.587 * g + 0.114 * b < 128;
};

class Simplex {
  constructor(root) {
    this.root = root;
    this.find = (name) => root.querySelector(`.${name}`);
    this.state = { mode: "soft", scale: "linear", schedule: "exponential", samples: 0, pi: null, tau: 1 };
    this.shown = new Set();
    this.number = 0; // of the values sent
    this.moving = false;
    this.tick = this.tick.bind(this);
    this.picture = new Picture(this.find("picture"));
    this.side = new Side(root);
    this.panel = new Panel(this.find("settings"), this);
    this.pointer = new Pointer(this.find("picture"), this.find("handle"), this);
    this.temperature = new Temperature(root, this);
    this.annealing = new Annealing(this.find("play"), this);
    this.watcher = new ResizeObserver(() => this.resize());
    this.watcher.observe(root);
  }

  destroy() {
    this.watcher.disconnect();
    cancelAnimationFrame(this.request);
    clearTimeout(this.resting);
    clearTimeout(this.waiting);
  }

  // Messages

  receive(bytes) {
    const { meta: options, arrays } = unpack(bytes);
    if (arrays.noise) remember(options.seed, arrays.noise.data);
    const noise = noises.get(options.seed);
    if (!noise) {
      this.setTriggerValue?.("want", options.seed);
      return;
    }
    if (noise !== this.cloud?.noise) this.cloud = new Cloud(noise);
    const before = this.options ?? {};
    this.options = options;
    this.adopt(before, options);
    this.restyle();
    this.resize();
    this.root.dataset.ready = "true";
    if (options.autoplay && options.autoplay !== before.autoplay) this.annealing.start(options.autoplay);
    this.refresh();
  }

  /** An argument that changed wins over what the user set; of π and τ Python says by `revision` when they did. */
  adopt(before, options) {
    const differs = (name) => JSON.stringify(before[name]) !== JSON.stringify(options[name]);
    if (differs("revision")) {
      this.annealing.playing = false;
      Object.assign(this.state, { pi: options.pi, tau: options.tau });
      this.rest = JSON.stringify([options.pi, options.tau]);
    }
    for (const name of ["samples", "mode", "scale"]) if (differs(name)) this.state[name] = options[name];
    if (differs("show")) this.shown = new Set(options.show);
    this.number = Math.max(this.number, options.seen);
  }

  /** Tell Python where τ and π have come to rest. */
  settled() {
    clearTimeout(this.waiting);
    const { pi, tau } = this.state, rest = JSON.stringify([pi, tau]);
    this.describe();
    if (rest === this.rest) return;
    this.rest = rest;
    this.setStateValue?.("state", { pi, tau, n: ++this.number, seed: this.options.seed });
  }

  // Changes

  set(name, value, moving = false) {
    this.state[name] = value;
    if (name === "schedule") this.annealing.rewind();
    if (name === "pi" && !moving) this.later();
    this.changed();
  }

  toggle(layer, on) {
    if (on) this.shown.add(layer);
    else this.shown.delete(layer);
    this.changed();
  }

  /** After the last key of several. */
  later() {
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.settled(), 350);
  }

  // Drawing

  /** Something has changed: draw coarsely now, finely when it rests. */
  changed() {
    this.moving = true;
    clearTimeout(this.resting);
    this.resting = setTimeout(() => {
      this.moving = false;
      this.refresh();
    }, CALM);
    this.refresh();
  }

  refresh() {
    this.request ??= requestAnimationFrame(this.tick);
  }

  tick(now) {
    this.request = null;
    if (!this.cloud || !this.picture.side) return;
    this.annealing.advance(now);
    this.paint();
  }

  restyle() {
    const style = getComputedStyle(this.root), night = isNight(style.backgroundColor), { colours } = this.options;
    const shade = night ? "dark" : "light";
    this.root.dataset.theme = shade;
    this.root.dataset.classroom = String(Boolean(this.options.classroom));
    this.root.dataset.bars = String(this.options.show.includes("bars"));
    this.colours = { ...colours[shade], ink: style.color };
    this.colours.categories.forEach((colour, k) => this.root.style.setProperty(`--category-${k + 1}`, colour));
  }

  resize() {
    const room = this.root.clientWidth;
    if (!room || !this.options) return; // in a tab that is not shown
    const size = this.options.classroom ? 1.35 : 1, margin = { side: 8, top: 26 * size, bottom: 46 * size };
    const wide = room >= WIDE * (size > 1 ? 1.12 : 1) && this.options.show.includes("bars");
    const widest = wide ? room - 300 * size : room, { height } = this.options;
    const width = Math.floor(wide ? Math.min(widest, BROADEST * height) : widest);
    this.root.dataset.wide = String(wide);
    this.root.dataset.middle = String(!wide && room >= MIDDLE * size);
    this.root.dataset.narrow = String(room < 480);
    this.root.style.setProperty("--stage", `${width}px`);
    this.picture.resize(width, height, margin);
    for (const name of ["left", "side", "base", "rest"]) this.root.style.setProperty(`--${name}`, `${this.picture[name]}px`);
    if (this.cloud && this.state.pi) this.paint();
  }

  paint() {
    const { cloud, state, pointer, shown } = this, { pi, tau, mode, scale, samples } = state;
    cloud.move(pi, tau, Math.min(samples, cloud.most));
    this.places = mode === "soft" && tau > 0 ? cloud.soft : cloud.rest();
    const index = pointer.chosen, chosen = index === null ? null : { index, path: cloud.path(index, pi, 80) };
    this.picture.draw({ cloud, pi, tau, mode, scale, shown, chosen, rows: this.moving ? COARSE : FINE, paths: this.paths(),
      places: this.places, colours: this.colours, bold: this.options.classroom });
    this.beside(chosen);
    this.root.dataset.tau = String(tau);
    this.root.dataset.moving = String(this.moving);
  }

  /** The paths of the first samples; they do not depend on τ. */
  paths() {
    const { cloud, state } = this, key = `${state.pi} ${cloud.count}`;
    if (!this.shown.has("paths")) return [];
    if (this.known?.key !== key || this.known.cloud !== cloud) {
      const lines = Array.from({ length: Math.min(PATHS, cloud.count) }, (_, i) => cloud.path(i, state.pi));
      this.known = { key, cloud, lines };
    }
    return this.known.lines;
  }

  /** Everything round the picture that follows it at every frame. */
  beside(chosen) {
    const { cloud, state, side } = this, { pi, tau, mode, scale } = state;
    side.bars({ shares: cloud.shares, means: mode === "soft" ? cloud.means : cloud.shares }, pi);
    side.state(pi, tau);
    side.law(mode);
    side.legend(this.shown.has("density") && hasDensity(pi, tau) ? this.picture.raster : null, scale, this.colours.ramp);
    side.sample(chosen && cloud.sample(chosen.index, pi, tau), chosen?.index);
    const choices = JSON.stringify([state.mode, state.scale, state.schedule, state.samples, [...this.shown]]);
    if (choices !== this.choices) this.panel.reflect(state, this.shown);
    this.choices = choices;
    this.panel.follow(state.schedule, this.annealing.step);
    this.temperature.reflect(tau);
    this.annealing.reflect();
    this.root.dataset.playing = String(this.annealing.playing);
    this.corners(pi);
  }

  corners(pi) {
    const [x, y] = this.picture.toScreen(toPlane(pi)), handle = this.find("handle");
    handle.style.transform = `translate(${x.toFixed(2)}px, ${y.toFixed(2)}px)`;
    handle.setAttribute("aria-valuenow", pi[0]);
    handle.setAttribute("aria-valuetext", `π = ${pi.map((p) => p.toFixed(3)).join(", ")}`);
    this.root.querySelectorAll(".corner").forEach((corner, k) => {
      write(corner.querySelector("span"), `π${"₁₂₃"[k]} = ${pi[k].toFixed(pi[k] * 100 % 1 < 1e-6 || pi[k] * 100 % 1 > 1 - 1e-6 ? 2 : 3)}`);
      corner.dataset.empty = String(pi[k] === 0);
    });
  }

  /** The picture in words, when it has come to rest. */
  describe() {
    const { pi, tau, samples, mode } = this.state, { shares, means } = this.cloud, list = (v) => v.map((p) => p.toFixed(3)).join(", ");
    const text = `${samples} samples of three categories, π = ${list(pi)}, τ = ${tau}, ${mode} forward pass. `
      + `Measured: shares of the argmax ${list(shares)}; means of z ${list(means)}.`;
    this.find("picture").setAttribute("aria-label", text);
    write(this.find("live"), this.annealing.playing ? "" : `τ = ${tau}`);
  }
}

const stages = new WeakMap();

/** Streamlit calls this at every new message and every change of theme, on the same element. */
export default function mount({ data, parentElement, setStateValue, setTriggerValue }) {
  const root = parentElement.querySelector(".simplex");
  let stage = stages.get(root);
  if (!stage) stages.set(root, (stage = new Simplex(root)));
  Object.assign(stage, { setStateValue, setTriggerValue });
  stage.receive(data);
  return () => {
    stage.destroy();
    stages.delete(root);
  };
}
