// The plane's stage: it receives messages from Python, holds what the user chose, and draws.

import { Controls } from "./controls.js";
import { Curve, short } from "./curve.js";
import { Moment, readPlane } from "./moment.js";
import { Playing, remember } from "./playing.js";
import { Probe } from "./probe.js";
import { PLANE_LAYERS, Scene } from "./scene.js";
import { unpack } from "./unpack.js";

const SIDE = 250; // where this much is left beside the picture, the curve stands there
const COMPACT = 400;
const CURVE = { name: "curve", of: "look", title: "Curve", choices: [["linear", "Linear"], ["log", "Logarithmic"]] };
const planes = (globalThis.dgmPlanes ??= new Map()); // by digest, so that what was seen need not come again

class PlanePlayer extends Playing {
  constructor(root) {
    super(root);
    Object.assign(this, { look: {}, shown: new Set(), chosen: {} });
    this.scene = new Scene(this.find("stage"));
    this.controls = new Controls(root, this);
    this.probe = new Probe(this.find("stage"), this);
    this.curve = new Curve(this.find("curve"), this);
    this.queue = Promise.resolve();
    this.watch();
  }

  receive(bytes) {
    const message = bytes.slice();
    this.queue = this.queue.then(() => this.take(message)).catch((error) => console.error(error));
  }

  async take(bytes) {
    const { meta: options, arrays } = unpack(bytes), own = this.options.digest === options.digest ? this.film : null;
    const film = planes.get(options.digest) ?? own ?? (arrays.plane && (await readPlane(arrays.plane.data)));
    if (!film) {
      this.send("want", options.digest, true);
      return;
    }
    remember(planes, options.digest, film);
    this.show(film, options);
  }

  show(film, options) {
    const before = this.options, first = !this.film, anew = !first && this.film !== film;
    if (!first && JSON.stringify([before.layers, before.curve]) !== JSON.stringify([options.layers, options.curve])) this.chosen = {};
    if (this.film !== film) this.moment = new Moment(film);
    if (!first && this.film.number !== film.number) Object.assign(this.probe, { at: null, held: null });
    if (!first && this.film.count !== film.count) Object.assign(this.probe, { at: null, held: null });
    Object.assign(this, { film, options, placed: false });
    this.setClock(before, first, false);
    this.dress();
    this.colours();
    this.arrange();
    this.resize();
    this.controls.reflect();
    this.describe();
    this.begin(first);
    if (anew && options.autoplay && !matchMedia("(prefers-reduced-motion: reduce)").matches) this.restart();
  }

  /** Another film is played from its start. */
  restart() {
    this.scrub(0);
    this.clock.play();
  }

  colours() {
    const style = getComputedStyle(this.root), mixed = getComputedStyle(this.find("swatches"));
    const paper = hexOf(style.backgroundColor), size = parseFloat(style.fontSize) - 1;
    this.tints = { ink: this.text, paper, faint: mixed.color, line: mixed.borderTopColor, size, font: `${size}px ${style.fontFamily}`,
      bold: Boolean(this.options.classroom) };
    for (const [name, colour] of Object.entries(this.options.colours)) {
      this.tints[name] = colour[this.night ? "dark" : "light"];
      this.root.style.setProperty(`--${name}`, this.tints[name]);
    }
  }

  /** Which layers: the user's choice, else Python's. */
  arrange() {
    const { film, options, chosen } = this;
    const has = { cells: true, assignment: true, outputs: true, trails: film.times.length > 1, points: film.encoder,
      codebook: film.codebook, commitment: film.commitment, gradient: film.gradient, kmeans: film.kmeans_codes };
    const layers = PLANE_LAYERS.filter(([name]) => has[name]).map(([name, text]) => [name, name === "outputs" && !film.encoder ? "Data x = z" : text]);
    this.shown = new Set(layers.map(([name]) => name).filter((name) => chosen[name] ?? options.layers.includes(name)));
    this.look = { curve: chosen.curve ?? options.curve };
    this.controls.arrange(layers, options.ends, [CURVE]);
    const scales = [["codebook", film.code_scale], [["commitment", "gradient"], film.output_scale]]
      .filter(([names, scale]) => scale !== 1 && [names].flat().some((name) => this.shown.has(name)))
      .map(([names, scale]) => `${names === "codebook" ? "codes'" : "outputs'"} arrows ×${scale.toLocaleString("en")}`);
    this.find("scales").textContent = scales.length ? `${scales.join(", ")} their length` : "";
  }

  choose(name, value) {
    this.chosen[name] = value;
    this.arrange();
    this.controls.reflect();
    this.describe();
    this.clock.refresh();
  }

  resize() {
    const room = this.root.clientWidth;
    if (!this.film || !room) return; // nothing yet, or in a tab that is not shown
    const edge = Math.floor(Math.max(120, Math.min(room, this.options.height))), wide = room >= edge + SIDE + 28;
    this.root.dataset.wide = String(wide);
    this.root.dataset.compact = String(edge < COMPACT);
    this.root.style.setProperty("--stage", `${edge}px`);
    this.scene.resize(edge);
    this.curve.resize(this.find("curve").parentElement.clientWidth, Math.round((wide ? 230 : 170) * (this.options.classroom ? 1.25 : 1)));
    this.placed = true;
    this.paint();
  }

  moveProbe(key) { this.probe.step(key); }

  pickProbe() {}

  unzoom() {}

  picked({ code, point }) {
    if (this.options.pick && code !== null) this.send("pick", { code, point, t: this.clock.time });
  }

  /** The text alternative: what is shown, when, and what is pointed at. */
  describe() {
    if (!this.film) return;
    this.moment.at(this.index);
    const { film, moment } = this, names = PLANE_LAYERS.filter(([name]) => this.shown.has(name)).map(([, text]) => text.toLowerCase());
    const now = `step ${this.timeText()}, frame ${Math.round(this.index) + 1} of ${this.times.length}; distortion ${short(moment.value("distortion"))}, ${moment.used()} of ${film.count} codes used`;
    this.find("stage").setAttribute("aria-label", `${this.options.alt} Shown: codes, ${names.join(", ")}; ${now}.`);
    if (!this.clock.playing) this.controls.say([this.probe.words(this.probe.chosen()), now].filter(Boolean).join("; "));
  }

  draw() {
    if (this.placed && this.visible) this.paint(); // without room nothing has its place yet
  }

  paint() {
    const { moment, index, tints, film } = this;
    moment.at(index);
    const chosen = this.probe.chosen(), words = this.probe.words(chosen);
    this.scene.draw({ moment, shown: this.shown, look: tints, chosen });
    this.curve.draw(moment, this.clock.time === null ? film.times[0] : Math.min(Math.max(this.clock.time, film.times[0]), film.times.at(-1)), { ...tints, ...this.look });
    this.controls.follow(this.clock.index, this.clock.last, this.timeText());
    this.find("reading").textContent = words || "Point at the plane to read codes and distances";
    this.find("reading").dataset.empty = String(!words);
    const floor = film.kmeans_distortion, now = moment.value("distortion");
    this.find("now").textContent = short(now);
    this.find("best").textContent = floor === null ? "" : short(floor);
    this.find("floor").hidden = floor === null;
    this.find("from").textContent = film.encoder ? "outputs" : "data";
    this.root.dataset.encoder = String(film.encoder);
    this.find("missed").hidden = !film.reconstruction;
    if (film.reconstruction) this.find("error").textContent = short(moment.value("reconstruction"));
    this.find("used").textContent = `${moment.used()} of ${film.count}`;
    Object.assign(this.root.dataset, { index: index.toFixed(4), code: chosen.code ?? "", point: chosen.point ?? "" });
  }
}

const hexOf = (colour) => `#${(colour.match(/[\d.]+/g) ?? [255, 255, 255]).slice(0, 3).map((v) => Math.round(v).toString(16).padStart(2, "0")).join("")}`;

const stages = new WeakMap();

/** Streamlit calls this at every new message and every change of theme, on the same element. */
export default function mount({ data, parentElement, setStateValue, setTriggerValue }) {
  const root = parentElement.querySelector(".voronoi");
  let player = stages.get(root);
  if (!player) stages.set(root, (player = new PlanePlayer(root)));
  Object.assign(player, { setStateValue, setTriggerValue });
  player.receive(data);
  return () => {
    player.destroy();
    stages.delete(root);
  };
}
