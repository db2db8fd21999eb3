// One moment of the phase plane: where the clock and the knob stand, and everything as it is there.

import { indexOf } from "./clock.js";
import { decimals } from "./playing.js";
import { gunzip, unpack } from "./unpack.js";

const EMPTY = new Float32Array(0);

/** The arrays of a view, ready to draw; each variant gets its own part of them. */
export async function readPhase(bytes) {
  const { meta, arrays } = unpack(await gunzip(bytes)), data = (name) => arrays[name]?.data ?? null;
  const film = { ...meta, arrays, times: data("times"), shown: data("shown_times"), flow: data("flow"), kinds: data("kinds"),
    points: data("points"), pointTimes: data("point_times"), pointSize: arrays.points?.shape[1] ?? 2, pointKinds: data("point_kinds"), arrowPoints: data("arrow_points"), arrowMoves: data("arrow_moves"),
    arrows: arrays.arrow_points?.shape[1] ?? 0, grid: arrays.field?.shape[1] ?? 0, fields: arrays.field?.shape[0] ?? 0 };
  film.variants = variantsOf(film, data);
  film.plots = plotsOf(film, data);
  film.digits = film.drive === "frame" ? decimals(film.times) : 2;
  return film;
}

function variantsOf(film, data) {
  const { number, dimensions: depth, labels, stages } = film, found = [];
  let [knot, tried, stage] = [0, 0, 0];
  labels.forEach((label, v) => {
    const count = data("counts")[v], refused = data("tried")[v], size = number * depth, each = (count - 1) * stages[v] * depth;
    found.push({ label, count, stages: stages[v], times: data("knots").subarray(knot, knot + count),
      states: data("states").subarray(knot * size, (knot + count) * size),
      triedTimes: data("tried_times").subarray(tried, tried + refused), triedStates: data("tried_states").subarray(tried * depth, (tried + refused) * depth),
      stagePoints: data("stage_points").subarray(stage, stage + each), stageMoves: data("stage_moves").subarray(stage, stage + each) });
    [knot, tried, stage] = [knot + count, tried + refused, stage + each];
  });
  return found;
}

function plotsOf(film, data) {
  let [x, y] = [0, 0];
  return film.plots.map((plot) => {
    const made = { ...plot, x: data("plot_x").subarray(x, (x += plot.length)) };
    made.series = plot.series.map((series) => ({ ...series, values: data("plot_y").subarray(y, (y += plot.length)) }));
    return made;
  });
}

/** Row `index`, fractional, of (T, size) data into `out`. */
export function rowAt(data, size, index, out) {
  const low = Math.floor(index), share = index - low, a = low * size, b = share ? a + size : a;
  for (let i = 0; i < size; i++) out[i] = share ? data[a + i] + share * (data[b + i] - data[a + i]) : data[a + i];
  return out;
}

export class Moment {
  constructor(film) {
    this.film = film;
    const size = film.number * film.dimensions;
    Object.assign(this, { heads: new Float32Array(size), ends: new Float32Array(size), blended: EMPTY });
    this.moves = new Float32Array(film.arrows * film.dimensions);
    this.roots = new Float32Array(film.arrows * film.dimensions);
    this.field = new Float32Array(film.grid * film.grid * 2);
  }

  /** Stand at `time` with the knob at `knob`. */
  at(time, knob) {
    const { film } = this, size = film.number * film.dimensions;
    const index = indexOf(film.times, time), frames = film.drive === "frame";
    const variant = film.variants[frames ? Math.round(index) : knob] ?? null;
    Object.assign(this, { time, index, frames, variant });
    if (film.flow) rowAt(film.flow, size, index, this.heads);
    if (film.arrows) {
      rowAt(film.arrowPoints, this.roots.length, index, this.roots);
      rowAt(film.arrowMoves, this.moves.length, index, this.moves);
    }
    if (film.grid) rowAt(film.arrays.field.data, this.field.length, film.fields > 1 ? index : 0, this.field);
    if (!variant) return;
    this.states = frames ? this.between(index) : variant.states;
    this.knot = frames ? variant.count - 1 : indexOf(variant.times, time);
    this.begun = frames || time >= variant.times[0];
    rowAt(this.states, size, this.knot, this.ends);
  }

  /** Two frames of equally many steps glide into each other. */
  between(index) {
    const { film } = this, low = Math.floor(index), share = index - low, a = film.variants[low], b = film.variants[low + 1];
    if (!share || a.count !== b.count) return film.variants[Math.round(index)].states;
    if (this.blended.length !== a.states.length) this.blended = new Float32Array(a.states.length);
    const { blended } = this;
    for (let i = 0; i < blended.length; i++) blended[i] = a.states[i] + share * (b.states[i] - a.states[i]);
    return blended;
  }

  /** The step that is being taken, a whole number; −1 where the variant has none. */
  get step() {
    const { variant, knot } = this;
    return variant && variant.count > 1 ? Math.min(Math.floor(knot + 1e-9), variant.count - 2) : -1;
  }

  /** How far trajectory `i` of the variant is from the flow now; NaN where there is no flow. */
  gap(i) {
    const { film, heads, ends } = this, depth = film.dimensions;
    if (!film.flow || !this.variant || !this.begun) return NaN;
    let sum = 0;
    for (let d = 0; d < depth; d++) sum += (heads[i * depth + d] - ends[i * depth + d]) ** 2;
    return Math.sqrt(sum);
  }
}
