// The manifolds stage: k is dragged here, and everything that follows from it is compared and drawn here.

import { Panel } from "./panel.js";
import { Readouts } from "./readouts.js";
import { column, holders, within } from "./relations.js";
import { unpack } from "./unpack.js";

const NEAR = 12; // CSS pixels from a point within which it is pointed at
const GAP = 20;
const NARROW = 620; // a component narrower than that has its panels below each other
const NAMES = { real: "Real", fake: "Generated" };
const night = (colour) => {
  const [r, g, b] = (colour.match(/[\d.]+/g) ?? [255, 255, 255]).map(Number);
  return 0.299 * r + 0.587 * g + 0.114 * b < 128;
};
const ordinal = (k) => `${k}${k % 100 > 10 && k % 100 < 14 ? "th" : ["th", "st", "nd", "rd"][k % 10] ?? "th"}`;
const signed = (value) => value.toFixed(2).replace("-", "−");
const plural = (count, word) => `${count.toLocaleString("en")} ${word}${count === 1 ? "" : "s"}`;

class Stage {
  constructor(root) {
    this.root = root;
    this.find = (name) => root.querySelector(`.${name}`);
    this.k = 1;
    this.test = "precision"; // what the left panel tests
    this.show = new Set(["balls", "points"]);
    this.near = this.pinned = null; // { panel, set: "real" | "fake", index }
    this.number = 0;
    this.panels = ["left", "right"].map((name) => new Panel(root.querySelector(`.${name} canvas`)));
    this.readouts = new Readouts(root);
    this.draw = this.draw.bind(this);
    this.listen();
    this.watcher = new ResizeObserver(() => this.resize());
    this.watcher.observe(root);
  }

  destroy() {
    this.watcher.disconnect();
    cancelAnimationFrame(this.request);
    clearTimeout(this.waiting);
  }

  listen() {
    const slider = this.find("k");
    slider.addEventListener("input", () => this.setK(Number(slider.value)));
    slider.addEventListener("change", () => this.settled());
    for (const input of this.root.querySelectorAll("input[name=layer]"))
      input.addEventListener("change", () => this.toggle(input.value, input.checked));
    for (const input of this.root.querySelectorAll("input[name=test]"))
      input.addEventListener("change", () => { this.test = input.value; this.refresh(); });
    this.panels.forEach(({ canvas }, panel) => {
      canvas.addEventListener("pointermove", (event) => this.point(this.nearest(panel, event)));
      canvas.addEventListener("pointerleave", () => this.point(null));
      canvas.addEventListener("click", (event) => { this.pinned = this.nearest(panel, event); this.refresh(); });
      canvas.addEventListener("keydown", (event) => this.walk(panel, event));
    });
  }

  // Messages

  receive(bytes) {
    const { meta: options, arrays } = unpack(bytes), before = this.options;
    this.options = options;
    this.columns = arrays.real_radii.shape[1];
    this.data = Object.fromEntries(Object.entries(arrays).map(([name, { data }]) => [name, data]));
    if (!before) this.k = options.k;
    this.k = Math.min(this.k, this.columns);
    this.near = this.pinned = null;
    this.ready = null;
    Object.assign(this.find("k"), { min: 1, max: this.columns });
    this.ticks();
    this.readouts.curves(this.data.curves, this.columns);
    this.restyle();
    this.resize();
    this.root.dataset.ready = "true";
  }

  setK(k) {
    this.k = k;
    this.refresh();
  }

  /** Tell Python at which k the slider rests. */
  settled() {
    this.describe();
    this.setStateValue?.("state", { k: this.k, n: ++this.number });
  }

  toggle(layer, on) {
    if (on) this.show.add(layer);
    else this.show.delete(layer);
    this.refresh();
  }

  // Pointing

  nearest(panel, event) {
    const box = this.panels[panel].canvas.getBoundingClientRect(), scene = this.scenes?.[panel];
    const found = scene && this.panels[panel].nearest(event.clientX - box.left, event.clientY - box.top, NEAR);
    return found ? { panel, set: scene[found.set].name, index: found.index } : null;
  }

  point(to) {
    if (JSON.stringify(to) === JSON.stringify(this.near)) return;
    this.near = to;
    this.refresh();
  }

  /** Arrow keys on a picture go from tested point to tested point, Escape lets go. */
  walk(panel, event) {
    const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape") this.pinned = null;
    else if (by) {
      const { name, points } = this.scenes[panel].tested, count = points.length / 2, at = this.pinned;
      const from = at?.panel === panel && at.set === name ? at.index : by > 0 ? -1 : count;
      this.pinned = { panel, set: name, index: (from + by + count) % count };
    } else return;
    event.preventDefault();
    this.refresh();
  }

  // Drawing

  refresh() {
    this.request ??= requestAnimationFrame(this.draw);
  }

  restyle() {
    const style = getComputedStyle(this.root), shade = night(style.backgroundColor) ? "dark" : "light";
    this.root.dataset.theme = shade;
    this.root.dataset.classroom = String(this.options.classroom);
    this.root.dataset.printed = String(this.options.printed);
    this.colours = { ...this.options.colours[shade], shade };
    for (const name of ["real", "fake"]) this.root.style.setProperty(`--${name}`, this.colours[name]);
  }

  resize() {
    const room = this.root.clientWidth;
    if (!room || !this.options) return; // in a tab that is not shown
    const narrow = room < NARROW, side = Math.floor(Math.min(narrow ? room : (room - GAP) / 2, this.options.height));
    this.root.dataset.narrow = String(narrow);
    this.root.style.setProperty("--panel", `${side}px`);
    for (const panel of this.panels) panel.resize(side, this.options.extent);
    cancelAnimationFrame(this.request);
    this.draw();
  }

  /** What follows from k, once for each k. */
  settle() {
    const at = this.k - 1, { data, columns } = this;
    if (this.ready?.k === this.k) return this.ready;
    this.ready = { k: this.k, at, real: column(data.real_radii, columns, at), fake: column(data.fake_radii, columns, at) };
    return this.ready;
  }

  set(name) {
    return { name, points: this.data[name], colour: this.colours[name] };
  }

  /** Whose balls a panel shows. */
  owner(panel) {
    return (panel === 0) === !this.options.printed ? "real" : "fake";
  }

  scene(panel) {
    const now = this.settle(), owner = this.owner(panel), coverage = panel === 0 && this.test === "coverage" && !this.options.printed;
    const tested = panel === 0 && !coverage ? "fake" : "real", { data } = this;
    const firsts = coverage ? data.reached_at : data[`${tested}_at`];
    return {
      balls: { ...this.set(owner), radii: now[owner] }, tested: this.set(tested), idle: this.set(tested === "real" ? "fake" : "real"),
      covered: Uint8Array.from(firsts, (first) => (first <= now.at ? 1 : 0)), colours: this.colours, show: this.show,
      bold: this.options.classroom, chosen: this.chosen(panel, now),
    };
  }

  /** The point that is pointed at, with the balls that hold it or the points that its ball holds. */
  chosen(panel, now) {
    const chosen = this.near ?? this.pinned;
    if (chosen?.panel !== panel) return null;
    const { set, index } = chosen, points = this.data[set], owner = this.owner(panel), other = set === "real" ? "fake" : "real";
    const [x, y] = [points[2 * index], points[2 * index + 1]], at = (name, i) => [this.data[name][2 * i], this.data[name][2 * i + 1]];
    const base = { ...chosen, x, y, owner, colour: this.colours[set] };
    if (set === owner) {
      const radius = now[owner][index], held = within(this.data[other], x, y, radius);
      return { ...base, radius, held, rings: [[x, y, radius]], partners: held.map((i) => [...at(other, i), this.colours[other]]) };
    }
    const held = holders(this.data[owner], now[owner], x, y);
    return { ...base, held, rings: held.map((i) => [...at(owner, i), now[owner][i]]), partners: held.map((i) => [...at(owner, i), this.colours[owner]]) };
  }

  draw() {
    this.request = null;
    if (!this.data || !this.panels[0].frame) return;
    this.scenes = [0, 1].map((panel) => this.scene(panel));
    this.panels.forEach((panel, n) => panel.draw(this.scenes[n]));
    this.readouts.show(this.k - 1);
    const slider = this.find("k");
    slider.value = this.k;
    slider.style.setProperty("--share", this.columns > 1 ? (this.k - 1) / (this.columns - 1) : 0);
    slider.setAttribute("aria-valuetext", `k = ${this.k}`);
    this.find("reading").querySelector("b").textContent = this.k;
    this.root.dataset.k = this.k;
    this.root.dataset.test = this.test;
    this.find("said").textContent = this.sentence(this.scenes.find(({ chosen }) => chosen)?.chosen);
  }

  /** What is known of the point that is pointed at. */
  sentence(chosen) {
    if (!chosen) return "Point at a point: its ball, or the balls that hold it.";
    const { set, x, y, held, radius, owner, index } = chosen, other = NAMES[set === "real" ? "fake" : "real"].toLowerCase();
    const who = `${NAMES[set]} point (${signed(x)}, ${signed(y)})`;
    if (radius !== undefined) {
      const whose = this.options.printed ? other : NAMES[set].toLowerCase();
      return `${who}: its ball reaches its ${ordinal(this.k)} nearest ${whose} neighbour, radius ${radius.toFixed(3)}, and holds ${plural(held.length, `${other} point`)}.`;
    }
    const first = this.options.printed ? 0 : this.data[`${set}_at`][index];
    const when = first < this.columns ? `covered from k = ${first + 1} on` : `not covered up to k = ${this.columns}`;
    return `${who}: inside ${plural(held.length, `${NAMES[owner].toLowerCase()} ball`)}, ${when}.`;
  }

  ticks() {
    const step = this.columns > 25 ? 10 : this.columns > 10 ? 5 : 1, marks = [1];
    for (let k = step; k <= this.columns; k += step) if (k > 1) marks.push(k);
    this.find("ticks").replaceChildren(...marks.map((k) => {
      const tick = document.createElement("span");
      tick.style.setProperty("--share", this.columns > 1 ? (k - 1) / (this.columns - 1) : 0);
      tick.textContent = k;
      return tick;
    }));
  }

  /** The picture in words, when it has come to rest. */
  describe() {
    const { data: { curves }, columns, k } = this, number = (n) => curves[n * columns + k - 1].toFixed(3);
    const text = `k = ${k}: precision ${number(0)}, recall ${number(1)}, density ${number(2)}, coverage ${number(3)}`;
    this.find("live").textContent = text;
    for (const { canvas } of this.panels) canvas.setAttribute("aria-label", text);
  }
}

const stages = new WeakMap();

/** Streamlit calls this at every new message and every change of theme, on the same element. */
export default function mount({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".manifolds");
  let stage = stages.get(root);
  if (!stage) stages.set(root, (stage = new Stage(root)));
  stage.setStateValue = setStateValue;
  stage.receive(data);
  return () => {
    stage.destroy();
    stages.delete(root);
  };
}
