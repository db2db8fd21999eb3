// The row of settings below: forward pass, layers, scale, samples, annealing.

import { SCHEDULES, STEPS } from "./schedules.js";

const MOST = 5000;
const CURVE = { width: 220, height: 64, points: 80 };
const GROUPS = [
  { name: "mode", title: "Forward pass", choices: [["soft", "Soft"], ["hard", "Hard"], ["straight", "Straight-through"]] },
  { name: "scale", title: "Density scale", choices: [["linear", "Linear"], ["log", "Logarithmic"]] },
];
const LAYERS = [["cloud", "Cloud"], ["density", "Density"], ["paths", "Paths"]];

function field(title, ...parts) {
  const group = document.createElement("fieldset"), legend = document.createElement("legend");
  legend.textContent = title;
  group.append(legend, ...parts);
  return group;
}

function choice(type, name, value, text, act) {
  const label = document.createElement("label"), input = document.createElement("input"), face = document.createElement("span");
  Object.assign(input, { type, name, value });
  input.addEventListener("change", () => act(input));
  face.textContent = text;
  label.append(input, face);
  return label;
}

function row(kind, ...labels) {
  const box = document.createElement("div");
  box.className = kind;
  box.append(...labels);
  return box;
}

function slider(kind, label, bounds) {
  return Object.assign(document.createElement("input"), { type: "range", className: `${kind} slider`, ariaLabel: label, ...bounds });
}

export class Panel {
  constructor(root, stage) {
    this.root = root;
    this.stage = stage;
    this.count = slider("count", "Number of samples", { min: 0, max: 1, step: "any" });
    this.number = document.createElement("b");
    this.step = slider("step", "Step of the annealing", { min: 0, max: 1, step: 0.005 });
    this.curve = row("curve");
    this.curve.innerHTML = `<svg viewBox="0 0 ${CURVE.width} ${CURVE.height}" preserveAspectRatio="none" aria-hidden="true"><path/></svg>`
      + '<span class="dot"></span><small class="high"></small><small class="low">0</small>';
    this.curve.append(this.step);
    this.caption = document.createElement("small");
    this.caption.className = "caption";
    root.replaceChildren(...this.fields());
    this.count.addEventListener("input", () => stage.set("samples", samplesAt(Number(this.count.value))));
    this.count.addEventListener("keydown", (event) => this.key(event));
    this.step.addEventListener("input", () => stage.annealing.seek(Number(this.step.value)));
    this.step.addEventListener("change", () => stage.settled());
  }

  fields() {
    const { stage } = this, set = (name) => (input) => stage.set(name, input.value);
    const [mode, scale] = GROUPS.map(({ name, title, choices }) =>
      field(title, row("segments", ...choices.map(([value, text]) => choice("radio", name, value, text, set(name))))));
    const layers = field("Show", row("chips", ...LAYERS.map(([value, text]) =>
      choice("checkbox", "layer", value, text, (input) => stage.toggle(value, input.checked)))));
    const samples = field("Samples", row("amount", this.count, this.number));
    const names = Object.entries(SCHEDULES).map(([value, { title }]) =>
      choice("radio", "schedule", value, title, (input) => stage.set("schedule", input.value)));
    const annealing = field("Annealing", row("segments four", ...names), this.curve, this.caption);
    annealing.className = "annealing";
    const plain = row("plain", mode, layers, scale, samples);
    return [plain, annealing];
  }

  key(event) {
    const by = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 10, PageDown: -10 }[event.key];
    if (!by) return;
    event.preventDefault();
    const now = this.stage.state.samples, unit = 10 ** Math.max(Math.floor(Math.log10(now)) - 1, 0);
    this.stage.set("samples", Math.min(Math.max(now + by * unit, 1), MOST));
  }

  /** Show the choices. */
  reflect({ mode, scale, schedule, samples }, shown) {
    for (const input of this.root.querySelectorAll("input[type=radio]"))
      input.checked = { mode, scale, schedule }[input.name] === input.value;
    for (const input of this.root.querySelectorAll("input[type=checkbox]")) input.checked = shown.has(input.value);
    this.count.value = shareOfSamples(samples);
    this.count.style.setProperty("--share", this.count.value);
    this.count.setAttribute("aria-valuetext", `${samples} samples`);
    this.number.textContent = samples.toLocaleString("en");
    this.drawCurve(schedule);
  }

  drawCurve(name) {
    if (this.curve.dataset.holds === name) return;
    this.curve.dataset.holds = name;
    const { tau, top } = SCHEDULES[name], { width, height, points } = CURVE;
    const places = Array.from({ length: points + 1 }, (_, i) => [(i / points) * width, height * (1 - tau(i / points) / top)]);
    this.curve.querySelector("path").setAttribute("d", `M${places.map((p) => p.map((v) => v.toFixed(1)).join(" ")).join("L")}`);
    this.curve.querySelector(".high").textContent = top;
    this.caption.textContent = name === "jang" ? `τ = max(0.5, exp(−10⁻⁵ t)), ${STEPS.toLocaleString("en")} steps`
      : `τ from ${tau(0)} to ${+tau(1).toFixed(3)} in ${STEPS.toLocaleString("en")} steps`;
  }

  /** Where the annealing stands. */
  follow(name, share) {
    const { tau, top } = SCHEDULES[name], dot = this.curve.querySelector(".dot");
    dot.style.left = `${(100 * share).toFixed(2)}%`;
    dot.style.top = `${(100 * (1 - tau(share) / top)).toFixed(2)}%`;
    this.step.value = share;
    this.step.setAttribute("aria-valuetext", `step ${Math.round(share * STEPS)}, τ = ${tau(share).toFixed(3)}`);
  }
}

/** Samples at a share of their slider, 1 … 5,000 in equal ratios, and back. */
function samplesAt(share) {
  const exact = MOST ** share, unit = 10 ** Math.max(Math.floor(Math.log10(exact)) - 1, 0);
  return Math.max(1, Math.min(Math.round(exact / unit) * unit, MOST));
}

const shareOfSamples = (samples) => Math.log(samples) / Math.log(MOST);
