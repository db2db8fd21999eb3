// Quantised densities to coloured pixels, and back to numbers.

import { COLOUR_TABLES } from "./tables.js";

const LEVELS = 1024;
const ROOT = 4; // as in payload.py: q = round(255 (p / peak)^(1/4))
const ramps = {};

/** A colour map as LEVELS little-endian RGBA words. */
export function ramp(name) {
  if (ramps[name]) return ramps[name];
  const bytes = Uint8Array.from(atob(COLOUR_TABLES[name]), (c) => c.charCodeAt(0));
  const words = new Uint32Array(LEVELS);
  for (let i = 0; i < LEVELS; i++) {
    const at = (i / (LEVELS - 1)) * 255, low = Math.min(Math.floor(at), 254), share = at - low;
    const channel = (k) => Math.round(bytes[3 * low + k] * (1 - share) + bytes[3 * low + 3 + k] * share);
    words[i] = (255 << 24) | (channel(2) << 16) | (channel(1) << 8) | channel(0);
  }
  return (ramps[name] = words);
}

/** A word of a ramp as CSS, for the legend. */
export function css(word) {
  return `rgb(${word & 255} ${(word >> 8) & 255} ${(word >> 16) & 255})`;
}

/** The log-density that is brightest under this normalisation. */
export function reference(film, index, normalise) {
  if (normalise === "global") return film.peak;
  const low = Math.floor(index), share = index - low;
  if (!share) return film.peaks[low];
  return Math.log((1 - share) * Math.exp(film.peaks[low]) + share * Math.exp(film.peaks[low + 1]));
}

/** What each byte of frame k adds to the colour's level, weighted by `share`. */
function contribution(film, frame, share, top, look) {
  const table = new Float32Array(256), full = (LEVELS - 1) * share;
  for (let q = 0; q < 256; q++) {
    const log = film.peaks[frame] + ROOT * Math.log(q / 255) - top;
    const level = look.scale === "log" ? 1 + log / look.range : Math.exp(log);
    table[q] = full * Math.min(Math.max(level, 0), 1);
  }
  return table;
}

/** Paints one moment of a film's density onto a small canvas of its own, one pixel a cell. */
export class DensityRaster {
  constructor() {
    this.canvas = document.createElement("canvas");
    this.done = null;
  }

  paint(film, index, look) {
    const done = this.done;
    if (done && done.film === film && done.index === index && done.look === look.key) return this.canvas;
    this.done = { film, index, look: look.key };
    const { width, height } = film;
    if (this.canvas.width !== width || this.canvas.height !== height || !this.image) {
      this.canvas.width = width;
      this.canvas.height = height;
      this.context = this.canvas.getContext("2d");
      this.image = this.context.createImageData(width, height);
      this.words = new Uint32Array(this.image.data.buffer);
    }
    this.fill(film, index, look);
    this.context.putImageData(this.image, 0, 0);
    return this.canvas;
  }

  /** Between two frames densities are blended linearly (log-densities on the log scale). */
  fill(film, index, look) {
    const { width, height, q } = film, cells = width * height;
    const low = Math.floor(index), share = index - low, top = reference(film, index, look.normalise);
    const colours = ramp(look.colours), words = this.words;
    const first = q.subarray(low * cells, (low + 1) * cells), a = contribution(film, low, 1 - share, top, look);
    const second = share ? q.subarray((low + 1) * cells, (low + 2) * cells) : null;
    const b = share ? contribution(film, low + 1, share, top, look) : null;
    for (let row = 0, from = 0; row < height; row++) {
      let to = (height - 1 - row) * width; // the film's row 0 is at ymin, the canvas's at the top
      const end = from + width;
      if (b) for (; from < end; from++) words[to++] = colours[(a[first[from]] + b[second[from]]) | 0];
      else for (; from < end; from++) words[to++] = colours[a[first[from]] | 0];
    }
  }
}

/** ln p of one frame at a point, bilinear between cell centres; `error` bounds the quantisation's, `below` says "at most". */
function logDensity(film, frame, x, y) {
  const { width, height, extent } = film;
  const column = Math.min(Math.max(((x - extent[0]) / (extent[1] - extent[0])) * width - 0.5, 0), width - 1);
  const row = Math.min(Math.max(((y - extent[2]) / (extent[3] - extent[2])) * height - 0.5, 0), height - 1);
  const c = Math.min(Math.floor(column), Math.max(width - 2, 0)), r = Math.min(Math.floor(row), Math.max(height - 2, 0));
  let value = 0, least = 255;
  for (const [dr, wr] of [[0, 1 - (row - r)], [1, row - r]])
    for (const [dc, wc] of [[0, 1 - (column - c)], [1, column - c]]) {
      if (wr * wc < 1e-9) continue;
      const q = film.q[(frame * height + r + dr) * width + c + dc];
      least = Math.min(least, q);
      value += wr * wc * Math.log(Math.max(q, 0.5) / 255);
    }
  return { value: film.peaks[frame] + ROOT * value, error: ROOT * 0.5 / Math.max(least, 0.5), below: least === 0 };
}

/** ln p at a point and a moment: { value, error, below }. */
export function readDensity(film, index, x, y) {
  const low = Math.floor(index), share = index - low, first = logDensity(film, low, x, y);
  if (!share) return first;
  const second = logDensity(film, low + 1, x, y);
  return {
    value: (1 - share) * first.value + share * second.value,
    error: Math.max(first.error, second.error),
    below: first.below && second.below,
  };
}
