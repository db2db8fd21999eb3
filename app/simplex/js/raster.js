// The Concrete density as coloured pixels of a small canvas.

import { clipShare, logDensityOn, makeLattice, quantile } from "./concrete.js";

const LEVELS = 512;
const DEEPEST = 10, FLATTEST = 1; // nats that the logarithmic scale spans at most and at least
const lattices = new Map();

const channels = (hex) => [1, 3, 5].map((k) => parseInt(hex.slice(k, k + 2), 16));

/** Colours from "#rrggbb" stops as LEVELS little-endian RGBA words. */
function blend(stops) {
  const known = stops.map(channels), words = new Uint32Array(LEVELS);
  for (let i = 0; i < LEVELS; i++) {
    const at = (i / (LEVELS - 1)) * (known.length - 1), low = Math.min(Math.floor(at), known.length - 2), share = at - low;
    const [r, g, b] = known[low].map((value, k) => Math.round(value + share * (known[low + 1][k] - value)));
    words[i] = ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
  }
  return words;
}

export class TriangleRaster {
  constructor() {
    this.canvas = document.createElement("canvas");
    this.context = this.canvas.getContext("2d");
    this.done = "";
  }

  /** Paint ln p or p of (π, τ) with that many rows; `top` is then the brightest ln p, `nats` what the log scale spans. */
  paint(pi, tau, rows, scale, stops) {
    const wanted = JSON.stringify([pi, tau, rows, scale, stops]);
    if (wanted === this.done) return this.canvas;
    this.done = wanted;
    if (!lattices.has(rows)) lattices.set(rows, makeLattice(rows));
    const lattice = lattices.get(rows), values = logDensityOn(lattice, pi, tau), share = clipShare(tau, scale);
    const top = quantile(values, share), low = quantile(values, 0.01);
    Object.assign(this, { top, clipped: share < 0.9995, share, nats: Math.max(Math.min(top - low, DEEPEST), FLATTEST) });
    this.fit(lattice);
    this.colour(lattice, scale, stops);
    this.context.putImageData(this.image, 0, 0);
    return this.canvas;
  }

  fit({ rows, columns }) {
    if (this.image?.width === columns && this.image.height === rows) return;
    Object.assign(this.canvas, { width: columns, height: rows });
    this.image = this.context.createImageData(columns, rows);
    this.words = new Uint32Array(this.image.data.buffer);
  }

  colour({ cells, values }, scale, stops) {
    if (this.stops !== String(stops)) Object.assign(this, { stops: String(stops), ramp: blend(stops) });
    const { words, ramp, top, nats } = this, full = LEVELS - 1, log = scale === "log";
    for (let i = 0; i < cells.length; i++) {
      const level = log ? 1 + (values[i] - top) / nats : Math.exp(Math.min(values[i] - top, 0));
      words[cells[i]] = ramp[level >= 1 ? full : level > 0 ? (level * full) | 0 : 0];
    }
  }
}
