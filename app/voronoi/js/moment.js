// One moment of the plane: between two frames everything glides, except codes that started anew, which jump.

import { nearestTwo, voronoi } from "./geometry.js";
import { decimals } from "./playing.js";
import { gunzip, unpack } from "./unpack.js";

/** The arrays of a view, ready to draw. */
export async function readPlane(bytes) {
  const { meta, arrays } = unpack(await gunzip(bytes)), [, count] = arrays.codes.shape;
  return { ...meta, ...arrays, times: arrays.times.data, digits: decimals(arrays.times.data), count,
    number: arrays.points.shape[0], encoder: Boolean(arrays.outputs) };
}

/** (T, …) data at a fractional frame, into a Float32Array. */
function between({ data }, size, low, share, out) {
  const a = low * size, b = share ? a + size : a;
  for (let i = 0; i < size; i++) out[i] = data[a + i] + share * (data[b + i] - data[a + i]);
  return out;
}

export class Moment {
  constructor(film) {
    this.film = film;
    this.codes = new Float32Array(2 * film.count);
    this.outputs = new Float32Array(2 * film.number);
    this.chosen = new Uint8Array(film.number);
    this.held = new Uint32Array(film.count);
    this.index = null;
  }

  /** Move to a frame; whole frames say who chose what, between two the nearest code is looked up. */
  at(index) {
    if (this.index === index) return;
    const { film, codes, outputs, chosen, held } = this, low = Math.floor(index), share = index - low;
    Object.assign(this, { index, low, share });
    between(film.codes, codes.length, low, share, codes);
    if (share && film.restarted) this.jump(low + 1);
    if (film.encoder) between(film.outputs, outputs.length, low, share, outputs);
    else outputs.set(film.points.data);
    if (share === 0) chosen.set(film.assignment.data.subarray(low * film.number, (low + 1) * film.number));
    else for (let i = 0; i < film.number; i++) chosen[i] = nearestTwo(codes, outputs[2 * i], outputs[2 * i + 1]).first;
    held.fill(0);
    for (const code of chosen) held[code]++;
    this.cells = voronoi(codes, film.extent);
  }

  jump(high) {
    const { film, codes, low, share } = this, from = share < 0.5 ? low : high;
    for (let k = 0; k < film.count; k++)
      if (film.restarted.data[high * film.count + k])
        for (const c of [0, 1]) codes[2 * k + c] = film.codes.data[2 * (from * film.count + k) + c];
  }

  alive(code) {
    const { film, low, share } = this;
    return share ? this.held[code] > 0 : Boolean(film.alive.data[low * film.count + code]);
  }

  used() {
    let used = 0;
    for (let k = 0; k < this.film.count; k++) used += this.alive(k);
    return used;
  }

  /** Arrows of one kind, (size,) as they stand at this moment. */
  arrows(name) {
    const { film } = this, size = film[name].data.length / film.times.length;
    this[name] ??= new Float32Array(size);
    return between(film[name], size, this.low, this.share, this[name]);
  }

  /** A curve's value: ``distortion`` or ``reconstruction``. */
  value(name) {
    const { data } = this.film[name], { low, share } = this;
    return share ? data[low] + share * (data[low + 1] - data[low]) : data[low];
  }
}
