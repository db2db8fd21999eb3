// The phase plane drawn: surface, field, flow, lines of steps, their marks and stages, arrows.

import { indexOf, timeAt } from "./clock.js";
import { Dots, rgb } from "./dots.js";
import { Pencil } from "./pencil.js";
import { Projection } from "./projection.js";

const FEW = 40; // trajectories up to which all of each is drawn bright
const TAIL = 0.12; // of the time, what many trajectories leave behind them
const SUBSCRIPTS = "₀₁₂₃₄₅₆₇₈₉";
const NUMBER = 1e5; // pixels beyond which nothing is drawn

export class PhaseScene {
  constructor(canvas) {
    Object.assign(this, { canvas, pen: canvas.getContext("2d"), dots: new Dots(), projection: new Projection() });
    this.still = document.createElement("canvas"); // what does not move with the clock
    this.colour = document.createElement("canvas");
  }

  resize(edge) {
    this.edge = edge;
    this.ratio = Math.min(globalThis.devicePixelRatio || 1, 2);
    const size = Math.round(edge * this.ratio);
    for (const canvas of [this.canvas, this.still])
      if (canvas.width !== size || canvas.height !== size) Object.assign(canvas, { width: size, height: size });
    Object.assign(this.canvas.style, { width: `${edge}px`, height: `${edge}px` });
    this.known = "";
  }

  /** `state`: { moment, shown (Set), look, mode, chosen, digest }. */
  draw(state) {
    const { pen, edge, ratio, projection } = this, { moment, look, shown } = state, { film } = moment;
    this.state = state;
    this.pencil = new Pencil(pen, look.bold ? 1.5 : 1);
    const times = film.drive === "frame" ? [film.variants[0].times[0], film.variants[0].times.at(-1)] : [film.times[0], film.times.at(-1)];
    projection.set(state.mode, edge, film.spans, film.shown && film.drive !== "frame" ? [Math.min(...film.shown), Math.max(...film.shown)] : times);
    this.restful();
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, this.canvas.width, this.canvas.height);
    if (shown.has("surface") && state.mode === "plane") this.surface();
    pen.drawImage(this.still, 0, 0);
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.lineCap = pen.lineJoin = "round";
    if (film.fields > 1 && shown.has("field") && state.mode === "plane") this.field(pen);
    if (shown.has("points")) this.points();
    if (shown.has("flow") && film.flow) this.flowing();
    if (moment.variant && moment.begun && shown.has("lines")) this.lines();
    if (moment.variant && shown.has("marks") && !moment.frames) this.marks();
    if (shown.has("arrows") && film.arrows) this.arrows();
    this.heads();
    if (moment.variant?.stages && shown.has("stages") && state.mode !== "graph") this.stages();
    if (state.chosen !== null) this.chosen(state.chosen);
  }

  /** The time that stands on the axis for row `index` of the film, at `time` of the clock. */
  axis(index, time) {
    const { shown } = this.state.moment.film;
    return shown ? timeAt(shown, index) : time;
  }

  /** The same for any time of the clock. */
  when(time) {
    const { film } = this.state.moment;
    return film.shown && film.drive !== "frame" ? timeAt(film.shown, indexOf(film.times, time)) : time;
  }

  tint(kind) { return this.state.look[`kind${kind % 4}`]; }

  /** Field, axes and all of the flow, faintly; drawn anew only when one of them changes. */
  restful() {
    const { state: { moment: { film }, mode, shown, look, digest }, projection: p } = this;
    const known = [digest, mode, p.yaw, p.pitch, look.ink, look.bold, shown.has("field"), shown.has("flow"), this.edge].join();
    if (this.known === known) return;
    this.known = known;
    const pen = this.still.getContext("2d");
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, this.still.width, this.still.height);
    pen.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    pen.lineCap = pen.lineJoin = "round";
    this.frame(pen);
    if (film.fields === 1 && shown.has("field") && mode === "plane") this.field(pen);
    if (!film.flow || !shown.has("flow")) return;
    for (const kind of this.kinds()) {
      pen.beginPath();
      for (let i = 0; i < film.number; i++)
        if (this.kindOf(i) === kind) this.path(pen, film.flow, film.number, i, 0, film.times.length - 1, film.times);
      new Pencil(pen, look.bold ? 1.5 : 1).stroke(film.kinds ? this.tint(kind) : look.flow, film.number > FEW ? 1 : 1.6, film.number > FEW ? 0.2 : 0.45);
    }
  }

  kinds() {
    const { kinds } = this.state.moment.film;
    return kinds ? [...new Set(kinds)].sort() : [0];
  }

  kindOf(i) { return this.state.moment.film.kinds?.[i] ?? 0; }

  /** The path of trajectory `i` from row `from` to row `to` of (rows, N, D) data. */
  path(pen, data, number, i, from, to, times) {
    const { projection: p, state: { moment: { film } } } = this, depth = film.dimensions;
    let down = false;
    for (let k = from; k <= to; k++) {
      p.put(times === film.times ? this.axis(k, times[k]) : this.when(times[k]), data, (k * number + i) * depth);
      if (!(Math.abs(p.px) < NUMBER && Math.abs(p.py) < NUMBER)) {
        down = false;
        continue;
      }
      pen[down ? "lineTo" : "moveTo"](p.px, p.py);
      down = true;
    }
    return down;
  }

  /** The frame of what turns, the axes of a graph, the names of the coordinates. */
  frame(pen) {
    const { projection: p, edge, state: { moment: { film }, look, mode } } = this;
    pen.beginPath();
    if (p.turns) this.cube(pen);
    else {
      const at = (d, v) => (0.5 + 0.5 * p.unit(d, v)) * edge;
      if (mode === "plane") {
        pen.moveTo(at(0, 0), 0); pen.lineTo(at(0, 0), edge);
        pen.moveTo(0, edge - at(1, 0)); pen.lineTo(edge, edge - at(1, 0));
      } else this.rules(pen);
    }
    new Pencil(pen, 1).stroke(look.rule, 1, p.turns ? 1 : 0.8);
    this.names(pen, film, look, mode);
  }

  cube(pen) {
    const { projection: p } = this, corner = (k) => [k & 1, k & 2, k & 4].map((bit) => (bit ? 1 : -1));
    for (let k = 0; k < 8; k++)
      for (const bit of [1, 2, 4]) {
        if (k & bit) continue;
        p.solid(...corner(k));
        pen.moveTo(p.px, p.py);
        p.solid(...corner(k | bit));
        pen.lineTo(p.px, p.py);
      }
  }

  rules(pen) {
    const { projection: p, edge } = this, { margin } = p, bottom = edge - margin.bottom;
    pen.moveTo(margin.left, bottom);
    pen.lineTo(edge - margin.right, bottom);
    for (const v of p.spans[0]) if (v * p.spans[0][0] > 0 || v !== 0) {
      const y = margin.top + (0.5 - 0.5 * p.unit(0, v)) * (bottom - margin.top);
      pen.moveTo(margin.left, y);
      pen.lineTo(edge - margin.right, y);
    }
    const zero = margin.top + (0.5 - 0.5 * p.unit(0, 0)) * (bottom - margin.top);
    if (zero > margin.top && zero < bottom) { pen.moveTo(margin.left, zero); pen.lineTo(edge - margin.right, zero); }
  }

  names(pen, film, look, mode) {
    const { projection: p, edge } = this, font = look.font, pencil = new Pencil(pen, 1), { axes } = film;
    const word = (text, x, y, align) => pencil.word(text, x, y, look.faint, look.paper, font, align);
    const tip = (text, u, v, w) => { p.solid(u, v, w); word(text, p.px, p.py, "center"); };
    if (mode === "time") { tip("t", 1.18, -1, -1); tip(axes[0], -1, 1.15, -1); tip(axes[1], -1, -1, 1.14); }
    else if (mode === "space") { tip(axes[0], 1.16, -1, -1); tip(axes[1], -1, 1.16, -1); tip(axes[2], -1, -1, 1.14); }
    else if (mode === "graph") {
      const { margin } = p, bottom = edge - margin.bottom, [low, high] = p.spans[0];
      const number = (v) => String(Number(v.toPrecision(3))).replace("-", "−");
      word(number(high), margin.left - 6, margin.top + 6, "right");
      word(number(low), margin.left - 6, bottom - 2, "right");
      word(axes[0], margin.left + 4, margin.top + 4, "left");
      word(number(p.times[0]), margin.left, bottom + 15, "left");
      word(`t = ${number(p.times[1])}`, edge - margin.right, bottom + 15, "right");
    } else {
      word(axes[0], edge - 12, edge - 14, "right");
      word(axes[1], 12, 16, "left");
    }
  }

  /** Arrows as long as the field is strong; the longest tenth alike. */
  field(pen) {
    const { projection: p, edge, state: { moment: { film, field }, look } } = this, { grid, extent } = film, cell = edge / grid;
    const strengths = [];
    for (let k = 0; k < field.length; k += 2) strengths.push(Math.hypot(field[k], field[k + 1]));
    const strong = strengths.filter(Number.isFinite).sort((a, b) => a - b), most = strong[Math.floor(0.9 * (strong.length - 1))] || 1;
    const pencil = new Pencil(pen, 1), wide = edge / (extent[1] - extent[0]), high = edge / (extent[3] - extent[2]);
    pen.beginPath();
    for (let row = 0; row < grid; row++)
      for (let column = 0; column < grid; column++) {
        const k = 2 * (row * grid + column), dx = field[k] * wide, dy = -field[k + 1] * high, length = Math.hypot(dx, dy);
        const long = 0.82 * cell * Math.min(1, strengths[k / 2] / most);
        if (!(length > 0 && long > 1)) continue;
        const x = (column + 0.5) * cell, y = edge - (row + 0.5) * cell, sx = (dx / length) * long, sy = (dy / length) * long;
        pencil.arrow(x - sx / 2, y - sy / 2, sx, sy, 4.5);
      }
    pencil.stroke(look.ink, 1, 0.3);
  }

  /** Shares of two classes as a wash of their colours. */
  surface() {
    const { moment: { film, index }, look, digest } = this.state, { surface } = film.arrays;
    if (!surface) return;
    const [frames, high, wide] = surface.shape, frame = frames > 1 ? Math.round(index) : 0, key = [digest, frame, look.ink].join();
    if (this.washed !== key) {
      this.washed = key;
      Object.assign(this.colour, { width: wide, height: high });
      const context = this.colour.getContext("2d"), image = context.createImageData(wide, high), ends = [rgb(look.kind0), rgb(look.kind1)];
      for (let k = 0; k < wide * high; k++) {
        const row = high - 1 - Math.floor(k / wide), share = surface.data[frame * wide * high + row * wide + (k % wide)] / 255;
        for (let c = 0; c < 3; c++) image.data[4 * k + c] = ends[share < 0.5 ? 0 : 1][c];
        image.data[4 * k + 3] = Math.round(30 + 190 * Math.abs(share - 0.5));
      }
      context.putImageData(image, 0, 0);
    }
    this.pen.imageSmoothingEnabled = true;
    this.pen.drawImage(this.colour, 0, 0, this.canvas.width, this.canvas.height);
  }

  points() {
    const { pen, ratio, projection: p, state: { moment: { film }, look, mode } } = this;
    const flat = mode === "plane", size = film.pointSize;
    if (!film.points || !(flat || (film.pointTimes && size >= film.dimensions))) return;
    const count = film.points.length / size, places = new Float32Array(2 * count);
    for (let i = 0; i < count; i++) {
      p.put(flat ? 0 : film.pointTimes[i], film.points, i * size);
      places[2 * i] = p.px * ratio;
      places[2 * i + 1] = p.py * ratio;
    }
    this.scatter(places, film.pointKinds, [0, 1, 2, 3].map((k) => (film.pointKinds ? this.tint(k) : look.point)), 2.6);
  }

  /** What the flow has passed: all of it for few trajectories, a tail for many. */
  flowing() {
    const { pen, pencil, state: { moment, look } } = this, { film, index } = moment, { number, dimensions } = film;
    const span = film.times.length - 1, first = number > FEW ? Math.max(0, Math.ceil(index - TAIL * span)) : 0, last = Math.floor(index);
    for (const kind of this.kinds()) {
      pen.beginPath();
      for (let i = 0; i < number; i++) {
        if (this.kindOf(i) !== kind) continue;
        const down = first <= last && this.path(pen, film.flow, number, i, first, last, film.times);
        this.toHead(pen, moment.heads, i * dimensions, down);
      }
      pencil.stroke(film.kinds ? this.tint(kind) : look.flow, number > FEW ? 1.2 : 2, number > FEW ? 0.55 : 0.9);
    }
  }

  toHead(pen, heads, o, down) {
    const { projection: p, state: { moment } } = this;
    p.put(this.axis(moment.index, moment.time), heads, o);
    if (down && Math.abs(p.px) < NUMBER && Math.abs(p.py) < NUMBER) pen.lineTo(p.px, p.py);
  }

  /** The variant's lines, straight from step to step, up to now. */
  lines() {
    const { pen, pencil, projection: p, state: { moment, look } } = this, { film, variant, states, knot } = moment, { number, dimensions } = film;
    const last = Math.floor(knot + 1e-9), many = number > FEW;
    for (const kind of this.kinds()) {
      pen.beginPath();
      for (let i = 0; i < number; i++) {
        if (this.kindOf(i) !== kind) continue;
        const down = this.path(pen, states, number, i, 0, last, variant.times);
        if (knot > last && down) {
          p.put(this.when(moment.time), moment.ends, i * dimensions);
          if (Math.abs(p.px) < NUMBER && Math.abs(p.py) < NUMBER) pen.lineTo(p.px, p.py);
        }
      }
      pencil.stroke(film.kinds ? this.tint(kind) : look.line, many ? 1.1 : 1.9, many ? 0.5 : 0.95);
    }
  }

  /** Where steps ended, and where steps were tried that were not taken. */
  marks() {
    const { pen, ratio, pencil, projection: p, state: { moment, look } } = this, { film, variant, knot } = moment, { number, dimensions: depth } = film;
    const last = Math.floor(knot + 1e-9), shown = Math.min(number, FEW), each = moment.begun ? last + 1 : 0;
    if (shown * each && shown * each <= 12_000) {
      const places = new Float32Array(2 * shown * each), kinds = new Uint8Array(shown * each);
      for (let k = 0; k < each; k++)
        for (let i = 0; i < shown; i++) {
          p.put(this.when(variant.times[k]), variant.states, (k * number + i) * depth);
          places.set([p.px * ratio, p.py * ratio], 2 * (k * shown + i));
          kinds[k * shown + i] = this.kindOf(i);
        }
      this.scatter(places, film.kinds ? kinds : null, film.kinds ? [0, 1, 2, 3].map((k) => this.tint(k)) : [look.line], number > 6 ? 2.1 : 3.2);
    }
    pen.beginPath();
    variant.triedTimes.forEach((time, r) => {
      if (time > moment.time + 1e-9 && moment.knot < variant.count - 1) return;
      p.put(this.when(time), variant.triedStates, r * depth);
      pencil.cross(p.px, p.py, 4.5);
    });
    pencil.stroke(look.paper, 4.5, 0.8);
    pencil.stroke(look.rejected, 2.1);
  }

  scatter(places, kinds, colours, radius) {
    const { pen, ratio, state: { look } } = this, size = Math.round(radius * ratio * (look.bold ? 1.5 : 1) * 4) / 4;
    pen.setTransform(1, 0, 0, 1, 0, 0);
    this.dots.drawKinds(pen, places, kinds, size, colours, { colour: look.paper, width: 0.9 * ratio, opacity: 0.9 });
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  }

  /** Arrows that travel with the state, and faintly where they have been. */
  arrows() {
    const { pen, pencil, projection: p, state: { moment, look } } = this, { film } = moment, depth = film.dimensions, size = film.arrows * depth;
    const turned = this.turned(), every = Math.max(1, Math.round(film.times.length / 60)), out = [0, 0];
    const one = (t, roots, moves, o, k) => {
      p.put(t, roots, o);
      const { px, py } = p;
      p.move(t, roots, o, moves, k, depth, out);
      pencil.arrow(px, py, ...out);
    };
    pen.beginPath();
    for (let k = 0; k < moment.index; k += every) {
      if (k < turned) continue;
      for (let a = 0; a < size; a += depth) one(this.axis(k, film.times[k]), film.arrowPoints, film.arrowMoves, k * size + a, k * size + a);
    }
    pencil.stroke(look.arrow, 1.1, 0.3);
    pen.beginPath();
    for (let a = 0; a < size; a += depth) one(this.axis(moment.index, moment.time), moment.roots, moment.moves, a, a);
    pencil.stroke(look.paper, 5, 0.85);
    pencil.stroke(look.arrow, 2.6);
  }

  /** The first frame from which the time on the axis goes back; 0 where it only goes forward. */
  turned() {
    const { shown } = this.state.moment.film;
    if (!shown) return 0;
    const at = shown.findIndex((t, k) => k && t < shown[k - 1]);
    return Math.max(0, at - 1);
  }

  /** Where everything stands now. */
  heads() {
    const { ratio, projection: p, state: { moment, shown, look, mode } } = this, { film } = moment, depth = film.dimensions, { number } = film;
    const groups = [];
    if (film.flow && shown.has("flow")) groups.push([moment.heads, look.flow]);
    if (moment.variant && moment.begun && shown.has("lines")) groups.push([moment.ends, look.line]);
    for (const [where, colour] of groups) {
      const places = new Float32Array(2 * number), last = moment.variant?.times.at(-1);
      const t = moment.frames ? last : this.axis(moment.index, moment.time);
      for (let i = 0; i < number; i++) {
        p.put(t, where, i * depth);
        places[2 * i] = p.px * ratio;
        places[2 * i + 1] = p.py * ratio;
      }
      this.scatter(places, film.kinds, film.kinds ? [0, 1, 2, 3].map((k) => this.tint(k)) : [colour], number > FEW ? 2.4 : number > 6 ? 3.6 : 5);
    }
  }

  /** The slopes of the step that is being taken, each from where it is evaluated. */
  stages() {
    const { pen, pencil, projection: p, state: { moment, look } } = this, { variant, film, step } = moment, depth = film.dimensions, out = [0, 0], words = [];
    if (step < 0 || !moment.begun) return;
    pen.beginPath();
    for (let k = 0; k < variant.stages; k++) {
      const o = (step * variant.stages + k) * depth, t = variant.times[step];
      p.put(t, variant.stagePoints, o);
      const { px, py } = p;
      p.move(t, variant.stagePoints, o, variant.stageMoves, o, depth, out);
      pencil.arrow(px, py, out[0], out[1], 9);
      words.push([`k${SUBSCRIPTS[k + 1]}`, px + out[0], py + out[1], out[1]]);
    }
    pencil.stroke(look.paper, 5, 0.85);
    pencil.stroke(look.stage, 2.3);
    for (let k = 0; k < variant.stages; k++) {
      p.put(variant.times[step], variant.stagePoints, (step * variant.stages + k) * depth);
      pencil.dot(p.px, p.py, 3.4, look.stage, look.paper);
    }
    for (const [text, x, y, up] of words) pencil.word(text, x + 7, y + (up < 0 ? -9 : 10), look.stage, look.paper, look.bolder);
  }

  /** One trajectory lit, all of it. */
  chosen(i) {
    const { pen, pencil, projection: p, state: { moment, look, shown } } = this, { film } = moment, depth = film.dimensions;
    if (film.flow && shown.has("flow")) {
      pen.beginPath();
      this.path(pen, film.flow, film.number, i, 0, film.times.length - 1, film.times);
      pencil.stroke(look.paper, 5, 0.8);
      pencil.stroke(film.kinds ? this.tint(this.kindOf(i)) : look.ink, 2.6);
    }
    if (moment.variant && shown.has("lines")) {
      pen.beginPath();
      this.path(pen, moment.states, film.number, i, 0, moment.variant.count - 1, moment.variant.times);
      pencil.stroke(look.paper, 5, 0.8);
      pencil.stroke(film.kinds ? this.tint(this.kindOf(i)) : look.line, 2.8);
    }
    const [where, t] = film.flow ? [moment.heads, this.axis(moment.index, moment.time)] : [moment.ends, moment.frames ? moment.variant.times.at(-1) : moment.time];
    p.put(t, where, i * depth);
    pencil.dot(p.px, p.py, 5, look.paper, look.ink, 2.2);
  }
}
