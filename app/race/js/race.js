// K categories race for the largest log π + G: one draw at a time, or thousands.

import { Tally, normalised, relaxed } from "./draws.js";
import { expectation } from "./expectation.js";
import { Lanes } from "./lanes.js";

const MOST = 20, FALL = 600; // categories; milliseconds in which one draw's noise falls
const SEEDS = 999_999; // the largest seed, as in dgm_core.gumbel.views
const TAU = { least: 0.05, most: 20 };
const SPEEDS = { "2": 2, "60": 60, "6000": 6000 }; // draws a second
const CALM = 3; // winners a second that may be lit: more would flash (WCAG 2.3.1)

const shareOfTau = (tau) => (tau === 0 ? 0 : 0.04 + 0.96 * Math.log(tau / TAU.least) / Math.log(TAU.most / TAU.least));
const tauAt = (share) => (share < 0.02 ? 0 : TAU.least * (TAU.most / TAU.least) ** Math.max(0, (share - 0.04) / 0.96));

class Race {
  constructor(root) {
    this.root = root;
    this.find = (name) => root.querySelector(`.${name}`);
    this.lanes = new Lanes(this.find("lanes"), this);
    this.number = 0;
    this.share = 1;
    this.owed = 0;
    this.law = "paper";
    this.speed = "60";
    this.find("one").addEventListener("click", () => this.one());
    this.find("run").addEventListener("click", () => this.toggle());
    this.find("clear").addEventListener("click", () => this.clear());
    this.find("more").addEventListener("click", () => this.grow(1));
    this.find("fewer").addEventListener("click", () => this.grow(-1));
    this.find("seed").addEventListener("change", () => this.sow(this.find("seed").value));
    const tau = this.find("tau");
    tau.addEventListener("input", () => this.setTau(tauAt(Number(tau.value))));
    tau.addEventListener("change", () => this.settled());
    for (const input of root.querySelectorAll("input[name=law], input[name=speed], input[name=shown]"))
      input.addEventListener("change", () => this.choose(input.name, input.value));
    this.shown = "last";
  }

  receive({ logits, tau, seed, classroom, colours, number }) {
    this.root.dataset.classroom = String(Boolean(classroom));
    const dark = isDark(this.root);
    this.root.style.setProperty("--model", colours[dark ? "dark" : "light"].model);
    this.root.style.setProperty("--data", colours[dark ? "dark" : "light"].data);
    this.root.style.setProperty("--latent", colours[dark ? "dark" : "light"].latent);
    if (this.held !== number) {
      this.held = number;
      this.logits = logits.map((l) => (l === null ? -Infinity : l));
      Object.assign(this, { tau, seed });
      this.start();
      this.one();
    }
    this.root.dataset.ready = "true";
    this.paint();
  }

  /** A fresh tally: what was counted belongs to other probabilities. */
  start() {
    this.tally = new Tally(normalised(this.logits), this.tau, this.seed);
    this.expected = expectation(this.tally.logPi, this.tau);
    this.share = 1;
    this.owed = 0;
    this.lanes.resize(this.logits.length);
  }

  setLogit(k, value) {
    const others = this.logits.some((l, j) => j !== k && l > -Infinity);
    this.logits[k] = value === -Infinity && !others ? -5 : value; // one category at least can be drawn
    this.start();
    this.paint();
  }

  /** The winners stay: a temperature changes none of them. */
  setTau(tau) {
    this.tau = Number(tau.toPrecision(3));
    this.tally.warm(this.tau);
    this.expected = expectation(this.tally.logPi, this.tau);
    if (this.tally.last && this.tally.last.winner >= 0) this.tally.last.z = relaxed(this.tally.last.y, this.tau);
    this.paint();
  }

  grow(by) {
    const count = Math.min(Math.max(this.logits.length + by, 1), MOST);
    if (count === this.logits.length) return;
    if (by < 0) this.logits.pop();
    else this.logits.push(0);
    if (!this.logits.some((l) => l > -Infinity)) this.logits[0] = 0;
    this.start();
    this.paint();
    this.settled();
  }

  /** Noise from another seed, from its first draw on. */
  sow(text) {
    const seed = Math.round(Number(text));
    if (text.trim() !== "" && seed >= 0 && seed <= SEEDS && seed !== this.seed) {
      this.seed = seed;
      this.start();
      this.one();
      this.settled();
    }
    this.find("seed").value = this.seed;
  }

  choose(name, value) {
    this[name] = value;
    if (name === "law") {
      this.start();
      this.tally.draw(this.law);
    }
    this.paint();
  }

  clear() {
    this.stop();
    this.start();
    this.paint();
  }

  /** One draw whose noise is seen falling. */
  one() {
    this.stop();
    this.tally.draw(this.law);
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches || this.law === "printed";
    this.begun = still ? -Infinity : performance.now();
    this.tick();
  }

  tick() {
    this.share = Math.min(1, (performance.now() - this.begun) / FALL);
    this.share = this.share < 1 ? 1 - (1 - this.share) ** 3 : 1;
    this.paint();
    if (this.share < 1) this.frame = requestAnimationFrame(() => this.tick());
  }

  toggle() {
    if (this.running) this.stop();
    else {
      cancelAnimationFrame(this.frame);
      this.running = true;
      this.then = performance.now();
      this.step();
    }
    this.paint();
  }

  step() {
    if (!this.running) return;
    const now = performance.now();
    this.owed += SPEEDS[this.speed] * Math.min((now - this.then) / 1000, 0.1);
    this.then = now;
    for (; this.owed >= 1; this.owed -= 1) this.tally.draw(this.law);
    this.share = 1;
    this.paint();
    this.frame = requestAnimationFrame(() => this.step());
  }

  stop() {
    this.running = false;
    cancelAnimationFrame(this.frame);
  }

  /** Tell Python where the race rests. */
  settled() {
    this.number += 1;
    this.setStateValue("state", {
      logits: this.logits.map((l) => (l === -Infinity ? null : l)), tau: this.tau, seed: this.seed, n: Date.now(),
    });
  }

  paint() {
    const { tally, root } = this, mean = this.shown === "mean";
    this.lanes.paint(this.logits, tally, this.expected, this.share, mean, this.running && SPEEDS[this.speed] > CALM);
    if (this.root.getRootNode().activeElement !== this.find("seed")) this.find("seed").value = this.seed;
    root.dataset.running = String(Boolean(this.running));
    root.dataset.total = tally.total;
    root.dataset.failed = tally.failed;
    root.dataset.tau = this.tau;
    this.find("run").querySelector("span").textContent = this.running ? "Pause" : "Run";
    const count = tally.total + tally.failed, draws = `${count.toLocaleString("en")} draw${count === 1 ? "" : "s"}`;
    this.find("total").textContent = draws + (this.law === "printed" ? ", all NaN: log u is negative, and has no logarithm" : "");
    const won = !this.running && this.share === 1 && tally.last && tally.last.winner >= 0;
    this.find("live").textContent = won ? `Draw ${tally.total}: category ${tally.last.winner + 1} wins` : "";
    const slider = this.find("tau"), share = shareOfTau(this.tau);
    if (Math.abs(Number(slider.value) - share) > 1e-3) slider.value = share;
    slider.style.setProperty("--share", share);
    slider.setAttribute("aria-valuetext", this.tau === 0 ? "argmax" : String(this.tau));
    this.find("reading").querySelector("b").textContent = this.tau === 0 ? "0" : this.tau.toPrecision(3);
    for (const name of ["law", "speed", "shown"])
      for (const input of root.querySelectorAll(`input[name=${name}]`)) input.checked = input.value === this[name];
    this.find("fewer").disabled = this.logits.length <= 1;
    this.find("more").disabled = this.logits.length >= MOST;
    this.find("law-now").textContent = this.law === "paper" ? " = −log(−log u)" : " = −log(log u)";
  }

  destroy() {
    this.stop();
  }
}

/** Whether the ground is dark, by its own colour. */
function isDark(root) {
  const numbers = getComputedStyle(root).backgroundColor.match(/[\d.]+/g) ?? [255, 255, 255];
  return numbers.slice(0, 3).reduce((sum, value) => sum + Number(value), 0) < 382;
}

const races = new WeakMap();

/** Streamlit calls this at every new message and every change of theme, on the same element. */
export default function mount({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".race");
  let race = races.get(root);
  if (!race) races.set(root, (race = new Race(root)));
  race.setStateValue = setStateValue;
  race.receive(data);
  return () => {
    race.destroy();
    races.delete(root);
  };
}
