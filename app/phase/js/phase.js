// The phase plane's stage: it receives messages from Python, holds what the user chose, and draws.

import { indexOf, timeAt } from "./clock.js";
import { Controls, segmented } from "./controls.js";
import { Moment, readPhase } from "./moment.js";
import { Playing, remember } from "./playing.js";
import { PhasePlot, brief, rowOf } from "./plot.js";
import { PhaseProbe } from "./probe.js";
import { MODES, modesOf } from "./projection.js";
import { PhaseScene } from "./scene.js";
import { unpack } from "./unpack.js";

const BESIDE = 250; // where this much is left beside the picture, the plots stand there
const SMALL = 400;
const NAMES = { surface: "Classes", field: "Field", flow: "Exact flow", lines: "Steps", marks: "Step ends", stages: "Stages kᵢ",
  arrows: "Adjoint", points: "Data" };
const phases = (globalThis.dgmPhases ??= new Map()); // by digest, so that what was seen need not come again

class PhasePlayer extends Playing {
  constructor(root) {
    super(root);
    Object.assign(this, { look: {}, shown: new Set(), chosen: {}, knob: 0, plots: [] });
    this.scene = new PhaseScene(this.find("stage"));
    this.controls = new Controls(root, this);
    this.probe = new PhaseProbe(this.find("stage"), this);
    this.dial = this.find("dial");
    this.dial.addEventListener("input", () => this.turnKnob(Number(this.dial.value)));
    this.dial.addEventListener("change", () => this.knobRests());
    this.dial.addEventListener("keydown", (event) => event.stopPropagation()); // its arrows are its own
    this.queue = Promise.resolve();
    this.watch();
  }

  /** The clock stops at the film's times, or where the steps of the variant end. */
  get times() {
    const steps = this.film && this.options.stepwise && this.film.variants[this.knob]?.times;
    return steps && steps.length > 1 ? steps : super.times;
  }

  receive(bytes) {
    const message = bytes.slice();
    this.queue = this.queue.then(() => this.take(message)).catch((error) => console.error(error));
  }

  async take(bytes) {
    const { meta: options, arrays } = unpack(bytes), own = this.options.digest === options.digest ? this.film : null;
    const film = phases.get(options.digest) ?? own ?? (arrays.phase && (await readPhase(arrays.phase.data)));
    if (!film) {
      this.send("want", options.digest, true);
      return;
    }
    remember(phases, options.digest, film);
    this.show(film, options);
  }

  show(film, options) {
    const before = this.options, first = !this.film, anew = !first && this.film !== film, ended = !first && this.atEnd;
    if (!first && JSON.stringify([before.layers, before.mode]) !== JSON.stringify([options.layers, options.mode])) this.chosen = {};
    if (first || before.knob !== options.knob || this.film.labels.join() !== film.labels.join()) this.knob = options.knob;
    if (!first && this.film.number !== film.number) Object.assign(this.probe, { at: null, held: null });
    if (this.film !== film) this.moment = new Moment(film);
    Object.assign(this, { film, options, placed: false });
    if (first || anew) this.arrangePlots();
    this.setClock(before, first, ended);
    this.dress();
    this.tint();
    this.arrange();
    this.resize();
    this.controls.reflect();
    this.describe();
    this.begin(first);
    if (anew && options.autoplay && !options.follow && !matchMedia("(prefers-reduced-motion: reduce)").matches) this.restart();
  }

  restart() {
    this.scrub(0);
    this.clock.play();
  }

  tint() {
    const style = getComputedStyle(this.root), mixed = getComputedStyle(this.find("swatches")), size = parseFloat(style.fontSize) - 1;
    this.tints = { ink: this.text, paper: style.backgroundColor, faint: mixed.color, size, font: `${size}px ${style.fontFamily}`,
      bolder: `600 ${size + 2}px ${style.fontFamily}`, bold: Boolean(this.options.classroom) };
    this.tints.paper = solid(style.backgroundColor);
    for (const [name, colour] of Object.entries(this.options.colours)) this.tints[name] = colour[this.night ? "dark" : "light"];
    this.tints.rule = mixed.borderTopColor;
  }

  arrangePlots() {
    this.plots = this.film.plots.map((plot) => new PhasePlot(plot));
    this.find("side").replaceChildren(...this.plots.map((plot) => plot.element));
  }

  /** Which layers, axes and variants: the user's choice, else Python's. */
  arrange() {
    const { film, options, chosen } = this, { variants } = film, modes = modesOf(film);
    const has = { surface: film.arrays.surface, field: film.grid, flow: film.flow, lines: variants.length, marks: variants.length && film.drive !== "frame",
      stages: film.stages.some(Boolean), arrows: film.arrows, points: film.points };
    const layers = Object.entries(NAMES).filter(([name]) => has[name]).map(([name, text]) => [name, options.names[name] ?? text]);
    this.layers = layers;
    this.shown = new Set(layers.map(([name]) => name).filter((name) => chosen[name] ?? options.layers.includes(name)));
    const wanted = chosen.mode ?? options.mode;
    this.mode = modes.includes(wanted) ? wanted : modes[0];
    this.look = {};
    this.controls.arrange(layers, options.ends, []);
    this.arrangeModes(modes);
    this.arrangeKnob();
    this.root.dataset.turns = String(this.mode === "time" || this.mode === "space");
  }

  arrangeModes(modes) {
    const place = this.find("modes");
    place.hidden = modes.length < 2;
    if (place.dataset.holds !== modes.join()) {
      place.dataset.holds = modes.join();
      const made = segmented({ name: "mode", title: "", choices: modes.map((mode) => [mode, MODES[mode]]) }, (value) => this.choose("mode", value));
      place.replaceChildren(...made.querySelectorAll("label"));
    }
    for (const input of place.querySelectorAll("input")) input.checked = input.value === this.mode;
  }

  arrangeKnob() {
    const { film, options, dial } = this, count = film.variants.length;
    this.find("knob").hidden = !options.knob_label || count < 2 || film.drive === "frame";
    this.find("knob-label").textContent = options.knob_label;
    dial.max = String(Math.max(count - 1, 0));
    this.knob = Math.min(this.knob, Math.max(count - 1, 0));
    dial.value = String(this.knob);
    this.root.style.setProperty("--words", `${Math.max(1, ...film.labels.map((label) => label.length))}ch`);
    this.tellKnob();
  }

  tellKnob() {
    const label = this.film.labels[this.knob] ?? "";
    this.find("knob-value").textContent = label;
    this.dial.setAttribute("aria-valuetext", label);
  }

  turnKnob(knob) {
    this.knob = knob;
    this.tellKnob();
    this.clock.time = Math.min(this.clock.time, this.clock.timeline.at(-1));
    this.clock.refresh();
  }

  knobRests() {
    this.describe();
    if (this.options.report_knob) this.send("knob", this.knob);
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
    const edge = Math.floor(Math.max(120, Math.min(room, this.options.height))), wide = this.plots.length > 0 && room >= edge + BESIDE + 28;
    this.root.dataset.wide = String(wide);
    this.root.dataset.compact = String(edge < SMALL);
    this.root.style.setProperty("--stage", `${edge}px`);
    this.scene.resize(edge);
    const width = this.find("side").clientWidth, larger = this.options.classroom ? 1.25 : 1;
    for (const plot of this.plots) plot.resize(width, Math.round((wide ? Math.min(210, (edge - 60) / this.plots.length - 70) : 150) * larger));
    this.placed = true;
    this.paint();
  }

  moveProbe(key) { this.probe.step(key); }

  pickProbe() {}

  unzoom() { this.probe.reset(); }

  timeText(index = this.index) {
    const { film } = this;
    if (!film.shown) return super.timeText(index);
    const at = indexOf(film.times, timeAt(this.times, index));
    return timeAt(film.shown, at).toFixed(2).replace("-", "−");
  }

  /** The text alternative: what is shown, when, and what is pointed at. */
  describe() {
    if (!this.film) return;
    this.stand();
    const { film, moment } = this, names = this.layers.filter(([name]) => this.shown.has(name)).map(([, text]) => text.toLowerCase());
    const gap = this.gap(), parts = [`${this.options.time_label} ${this.timeText()}`, film.drive === "frame" ? "" : film.labels[this.knob] ?? "",
      Number.isFinite(gap) ? `largest distance to the exact flow ${brief(gap)}` : ""];
    const now = parts.filter(Boolean).join(", ");
    this.find("stage").setAttribute("aria-label", `${this.options.alt} Shown: ${names.join(", ")}; ${now}.`);
    if (!this.clock.playing) this.controls.say([this.probe.words(this.probe.chosen()), now].filter(Boolean).join("; "));
    return moment;
  }

  /** The largest distance of the variant to the flow now. */
  gap() {
    let most = NaN;
    for (let i = 0; i < this.film.number; i++) {
      const gap = this.moment.gap(i);
      if (!(most >= gap)) most = gap;
    }
    return most;
  }

  stand() { this.moment.at(this.clock.time ?? this.film.times[0], this.knob); }

  draw() {
    if (this.placed && this.visible) this.paint(); // without room nothing has its place yet
  }

  paint() {
    const { tints, film, moment } = this;
    this.stand();
    const chosen = this.probe.chosen();
    this.scene.draw({ moment, shown: this.shown, look: tints, mode: this.mode, chosen, digest: this.options.digest });
    for (const plot of this.plots) plot.draw(plot.plot.over === "knob" ? this.knob : rowOf(plot.plot, film.times, this.clock.time ?? film.times[0]), tints);
    const words = this.probe.words(chosen), gap = this.gap();
    this.controls.follow(this.clock.index, this.clock.last, this.timeText());
    const said = words || (Number.isFinite(gap) && film.drive !== "frame" && moment.variant
      ? `Largest distance to the exact flow now: ${brief(gap)}. Point at a trajectory to read it` : "Point at a trajectory to read it");
    const reading = this.find("reading");
    if (reading.textContent !== said) reading.textContent = said;
    reading.dataset.empty = String(!words);
    Object.assign(this.root.dataset, { index: this.index.toFixed(4), knob: String(this.knob), chosen: chosen ?? "", mode: this.mode,
      gap: Number.isFinite(gap) ? gap.toPrecision(6) : "" });
  }
}

/** A colour as #rrggbb. */
const solid = (colour) => `#${(colour.match(/[\d.]+/g) ?? [255, 255, 255]).slice(0, 3).map((v) => Math.round(v).toString(16).padStart(2, "0")).join("")}`;

const phaseStages = new WeakMap();

/** Streamlit calls this at every new message and every change of theme, on the same element. */
export default function mount({ data, parentElement, setStateValue, setTriggerValue }) {
  const root = parentElement.querySelector(".phase");
  let player = phaseStages.get(root);
  if (!player) phaseStages.set(root, (player = new PhasePlayer(root)));
  Object.assign(player, { setStateValue, setTriggerValue });
  player.receive(data);
  return () => {
    player.destroy();
    phaseStages.delete(root);
  };
}
