// What stands beside the triangle: two groups of bars, the state in words, the density's scale, one sample in numbers.

import { hasDensity } from "./concrete.js";

const minus = (text) => text.replace("-", "−");

/** Three significant figures, without exponents as long as they are readable. */
export function figures(value) {
  if (value !== 0 && (Math.abs(value) >= 1e5 || Math.abs(value) < 1e-3)) return minus(value.toExponential(1));
  const digits = value === 0 ? 1 : Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return minus(value.toFixed(Math.min(digits, 3)));
}

/** Text of an element, touched only when it changes. */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

const zeros = (pi) => pi.map((p, k) => (p === 0 ? `π${"₁₂₃"[k]} = 0` : "")).filter(Boolean).join(", ");

function bar(k) {
  const row = document.createElement("div");
  row.className = "row";
  row.dataset.k = k;
  row.innerHTML = '<span class="name"></span><div class="beam"><div class="fill"></div><u class="even-tick"></u><u class="pi-tick"></u></div><b></b>';
  row.querySelector(".name").textContent = k + 1;
  return { row, fill: row.querySelector(".fill"), pi: row.querySelector(".pi-tick"), number: row.querySelector("b") };
}

export class Side {
  constructor(root) {
    this.find = (name) => root.querySelector(name);
    this.groups = {};
    for (const group of root.querySelectorAll(".bars")) {
      this.groups[group.dataset.group] = [0, 1, 2].map(bar);
      group.append(...this.groups[group.dataset.group].map(({ row }) => row));
    }
    this.rows = [0, 1, 2].map((k) => {
      const row = document.createElement("tr");
      row.dataset.k = k;
      row.innerHTML = '<th scope="row"></th><td></td><td></td><td></td>';
      row.firstChild.textContent = k + 1;
      return row;
    });
    this.find(".sample tbody").append(...this.rows);
  }

  /** The measured shares and means of this moment. */
  bars(values, pi) {
    for (const [name, rows] of Object.entries(this.groups))
      rows.forEach(({ fill, pi: tick, number }, k) => {
        fill.style.transform = `scaleX(${values[name][k].toFixed(4)})`;
        tick.style.left = `${(100 * pi[k]).toFixed(1)}%`;
        write(number, values[name][k].toFixed(3));
      });
  }

  /** What the density is at this τ, in words; the border is 1/(K−1) (Maddison et al. 2017, Proposition 1). */
  state(pi, tau) {
    let text = "τ > ½: the density is not log-convex";
    if (tau === 0) text = "τ = 0: argmax; all mass lies in the corners";
    else if (!hasDensity(pi, tau)) text = `${zeros(pi)}: no density inside the triangle`;
    else if (tau <= 0.5) text = "τ ≤ ½: the density is log-convex";
    write(this.find(".state"), text);
  }

  /** Which z the means are of. */
  law(mode) {
    write(this.find("[data-group=means] em"), mode === "soft" ? "" : "z one-hot");
  }

  /** The density's scale; `raster` as it was painted last, or null where there is nothing to see. */
  legend(raster, scale, stops) {
    const legend = this.find(".legend"), [low, high] = legend.querySelectorAll(".legend-ends span");
    legend.style.visibility = raster ? "" : "hidden";
    if (!raster) return;
    const { top, clipped, share, nats } = raster, mark = clipped ? "≥ " : "";
    const clip = clipped ? `, clipped at the ${(100 * share).toFixed(share > 0.99 ? 1 : 0)} % quantile of the area` : "";
    write(legend.querySelector(".legend-name"), `${scale === "log" ? "ln p" : "Density p"}${clip}`);
    write(low, scale === "log" ? `≤ ${minus((top - nats).toFixed(1))}` : "0");
    write(high, mark + (scale === "log" ? minus(top.toFixed(1)) : figures(Math.exp(top))));
    const gradient = `linear-gradient(to right, ${stops.join(", ")})`, ramp = legend.querySelector(".legend-ramp");
    if (ramp.dataset.holds !== gradient) Object.assign(ramp.dataset, { holds: gradient });
    ramp.style.background = gradient;
  }

  /** One sample's noise, perturbed logits and z; null empties the table. */
  sample(numbers, index) {
    write(this.find(".sample .which"), numbers ? `Sample ${(index + 1).toLocaleString("en")}` : "Point at a sample");
    this.find(".sample").dataset.empty = String(!numbers);
    this.rows.forEach((row, k) => {
      const cells = row.querySelectorAll("td"), finite = (v) => (Number.isFinite(v) ? minus(v.toFixed(2)) : "−∞");
      const texts = numbers ? [finite(numbers.noise[k]), finite(numbers.y[k]), numbers.z[k].toFixed(3)] : ["", "", ""];
      texts.forEach((text, c) => write(cells[c], text || "–"));
      row.dataset.largest = String(Boolean(numbers) && numbers.argmax === k);
    });
  }
}
