// The Concrete law on the triangle of three categories, in typed arrays (Maddison, Mnih and Teh 2017, Definition 1).

export const HEIGHT = Math.sqrt(3) / 2; // of the triangle whose side is 1; corner 1 left, 2 right, 3 on top
const LEAST_TAU = 0.05, MOST_TAU = 20, ZERO = 0.02, FIRST = 0.06; // where on its slider τ is 0, and where it is LEAST_TAU
export const REST = 0.055; // radius of the disc in which hard samples lie round their corner
const GOLDEN = Math.PI * (3 - Math.sqrt(5));

/** τ at a share of the slider: 0 at its left end, then 0.05 … 20 in equal ratios. */
export function tauAt(share) {
  if (share < ZERO) return 0;
  return LEAST_TAU * (MOST_TAU / LEAST_TAU) ** Math.min(Math.max((share - FIRST) / (1 - FIRST), 0), 1);
}

/** Where on the slider τ stands; undoes `tauAt`. */
export function shareOf(tau) {
  if (tau <= 0) return 0;
  const share = Math.log(tau / LEAST_TAU) / Math.log(MOST_TAU / LEAST_TAU);
  return FIRST + (1 - FIRST) * Math.min(Math.max(share, 0), 1);
}

/** The next τ for a key: ratios of 2^(1/8), or 2 for a large step; below 0.05 comes 0. */
export function stepTau(tau, by, large) {
  const factor = 2 ** (by * (large ? 1 : 1 / 8));
  if (tau === 0) return by > 0 ? LEAST_TAU : 0;
  if (tau <= LEAST_TAU * 1.0001 && by < 0) return 0;
  return Math.min(Math.max(tau * factor, LEAST_TAU), MOST_TAU);
}

/** (z1, z2, z3) → a point of the plane whose unit is the triangle's side. */
export const toPlane = (z) => [z[1] + z[2] / 2, HEIGHT * z[2]];

/** A point of the plane → (z1, z2, z3), which sum to 1 and are negative outside. */
export function toSimplex(x, y) {
  const z3 = y / HEIGHT, z2 = x - z3 / 2;
  return [1 - z2 - z3, z2, z3];
}

/** Weights as probabilities to three decimals; what is outside or, with `snap`, close to an edge becomes 0. */
export function toProbabilities(z, snap = 0) {
  const kept = z.map((value) => (value > snap ? value : 0)), sum = kept[0] + kept[1] + kept[2];
  const largest = kept.indexOf(Math.max(...kept)), out = kept.map((value) => Math.round((1000 * value) / sum) / 1000);
  out[largest] = 1;
  for (let k = 0; k < 3; k++) if (k !== largest) out[largest] -= out[k];
  out[largest] = Math.round(1000 * out[largest]) / 1000;
  return out;
}

/** Logits ln π; a category of weight 0 has −∞. */
export const logits = (pi) => pi.map((p) => Math.log(p));

/** z = softmax((ln π + G) / τ) for one sample into `out`; τ = 0 gives the argmax. Returns the argmax. */
export function relax(y1, y2, y3, tau, out) {
  const best = y1 >= y2 ? (y1 >= y3 ? 0 : 2) : y2 >= y3 ? 1 : 2, top = best === 0 ? y1 : best === 1 ? y2 : y3;
  if (tau === 0) {
    out[0] = out[1] = out[2] = 0;
    out[best] = 1;
    return best;
  }
  const a = Math.exp((y1 - top) / tau), b = Math.exp((y2 - top) / tau), c = Math.exp((y3 - top) / tau), sum = a + b + c;
  out[0] = a / sum;
  out[1] = b / sum;
  out[2] = c / sum;
  return best;
}

/** The samples of one moment. Positions have the triangle's side as unit. */
export class Cloud {
  constructor(noise) {
    this.noise = noise; // (N, 3) Gumbel, row by row
    this.most = noise.length / 3;
    this.soft = new Float32Array(2 * this.most);
    this.hard = new Float32Array(2 * this.most);
    this.kinds = new Uint8Array(this.most); // argmax of each
    this.one = new Float64Array(3);
  }

  /** Move the first `count` samples to π and τ; sets `shares` (of the argmax) and `means` (of z). */
  move(pi, tau, count) {
    const { noise, soft, kinds, one } = this, [l1, l2, l3] = logits(pi), counts = [0, 0, 0];
    let s1 = 0, s2 = 0, s3 = 0;
    for (let i = 0; i < count; i++) {
      kinds[i] = relax(l1 + noise[3 * i], l2 + noise[3 * i + 1], l3 + noise[3 * i + 2], tau, one);
      counts[kinds[i]]++;
      soft[2 * i] = one[1] + one[2] / 2;
      soft[2 * i + 1] = HEIGHT * one[2];
      s1 += one[0];
      s2 += one[1];
      s3 += one[2];
    }
    this.count = count;
    this.shares = counts.map((n) => n / count);
    this.means = [s1 / count, s2 / count, s3 / count];
  }

  /** One-hot samples, each at a fixed place of its own in a small disc round its corner. */
  rest() {
    const { hard, kinds } = this;
    for (let i = 0; i < this.count; i++) {
      const radius = REST * Math.sqrt((i * 0.7548776662466927) % 1), [x, y] = CORNERS[kinds[i]];
      hard[2 * i] = x + radius * Math.cos(i * GOLDEN);
      hard[2 * i + 1] = y + radius * Math.sin(i * GOLDEN);
    }
    return hard;
  }

  /** Sample i in numbers: its Gumbel noise, the perturbed logits and z. */
  sample(i, pi, tau) {
    const noise = [...this.noise.subarray(3 * i, 3 * i + 3)], y = logits(pi).map((l, k) => l + noise[k]), z = [0, 0, 0];
    const argmax = relax(...y, tau, z);
    return { noise, y, z, argmax };
  }

  /** The way of sample i from its corner (τ → 0) to the centre (τ → ∞): [x0, y0, x1, y1, …] in the plane. */
  path(i, pi, points = 40) {
    const { y } = this.sample(i, pi, 1), sorted = [...y].sort((a, b) => b - a), out = new Float32Array(2 * points);
    const spread = sorted[0] - sorted[1] + 0.2 * Math.min(sorted[0] - sorted[2], 10), z = [0, 0, 0];
    for (let p = 0; p < points; p++) {
      const inverse = Math.tan(((points - 1 - p) / (points - 0.96)) * (Math.PI / 2)) / spread; // 1/τ
      relax(...y, 1 / Math.max(inverse, 1e-9), z);
      out.set(toPlane(z), 2 * p);
    }
    return out;
  }
}

export const CORNERS = [[0, 0], [1, 0], [0.5, HEIGHT]];

/** Cells of a square grid over the triangle, with their ln z; those at the border lie just inside it. */
export function makeLattice(rows) {
  const columns = Math.round(rows / HEIGHT), step = 1 / columns, cells = [], logs = [[], [], []];
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < columns; c++) {
      const z = toSimplex((c + 0.5) * step, ((rows - r - 0.5) / rows) * HEIGHT);
      if (Math.min(...z) < -2 * step) continue;
      const inside = z.map((value) => Math.max(value, 0.4 * step)), sum = inside[0] + inside[1] + inside[2];
      cells.push(r * columns + c);
      for (let k = 0; k < 3; k++) logs[k].push(Math.log(inside[k] / sum));
    }
  return { rows, columns, cells: Uint32Array.from(cells), logs: logs.map((l) => Float64Array.from(l)),
    values: new Float32Array(cells.length) };
}

/** ln p(z) = ln 2 + 2 ln τ + Σ (ln π_k − (τ+1) ln z_k) − 3 ln Σ π_k z_k^−τ on the cells; needs τ > 0 and every π_k > 0. */
export function logDensityOn(lattice, pi, tau) {
  const [a, b, c] = lattice.logs, { values } = lattice, [l1, l2, l3] = logits(pi);
  const constant = Math.log(2) + 2 * Math.log(tau) + l1 + l2 + l3;
  for (let i = 0; i < values.length; i++) {
    const u = l1 - tau * a[i], v = l2 - tau * b[i], w = l3 - tau * c[i], top = u > v ? (u > w ? u : w) : v > w ? v : w;
    const sum = Math.exp(u - top) + Math.exp(v - top) + Math.exp(w - top);
    values[i] = constant - (tau + 1) * (a[i] + b[i] + c[i]) - 3 * (top + Math.log(sum));
  }
  return values;
}

/** Whether the law has a density inside the triangle. */
export const hasDensity = (pi, tau) => tau > 0 && pi.every((p) => p > 0);

/** Share of the area left below the brightest colour: all of it where the density is finite, less where it has poles. */
export const clipShare = (tau, scale) => 1 - (scale === "log" ? 0.01 : 0.05) * Math.min(Math.max((3 - tau) / 2, 0), 1);

/** A quantile of the values, from about a thousand of them. */
export function quantile(values, share) {
  const stride = share >= 1 ? 1 : Math.max(1, Math.floor(values.length / 1200));
  if (share >= 1) return values.reduce((a, b) => (a > b ? a : b));
  const some = new Float32Array(Math.ceil(values.length / stride));
  for (let i = 0, k = 0; i < values.length; i += stride) some[k++] = values[i];
  some.sort();
  return some[Math.min(Math.floor(share * some.length), some.length - 1)];
}
