// The plane drawn: cells, who belongs to whom, points, outputs, codes, trails and arrows.

import { Dots } from "./dots.js";

export const PLANE_LAYERS = [
  ["cells", "Cells"], ["assignment", "Assignment"], ["points", "Data x"], ["outputs", "Outputs z"], ["trails", "Trails"],
  ["codebook", "Codebook term"], ["commitment", "Commitment term"], ["gradient", "Straight-through gradient"], ["kmeans", "k-means"],
];

export class Scene {
  constructor(canvas) {
    this.canvas = canvas;
    this.pen = canvas.getContext("2d");
    this.dots = new Dots();
  }

  resize(edge) {
    this.edge = edge;
    this.ratio = Math.min(globalThis.devicePixelRatio || 1, 2);
    const size = Math.round(edge * this.ratio);
    if (this.canvas.width !== size || this.canvas.height !== size) Object.assign(this.canvas, { width: size, height: size });
    Object.assign(this.canvas.style, { width: `${edge}px`, height: `${edge}px` });
  }

  x(x) { return ((x - this.extent[0]) / (this.extent[1] - this.extent[0])) * this.edge; }
  y(y) { return ((this.extent[3] - y) / (this.extent[3] - this.extent[2])) * this.edge; }

  /** `state`: { moment, shown (Set), look, chosen: { code, point, second } }. */
  draw(state) {
    const { pen, edge, ratio } = this, { shown, moment, look } = state;
    Object.assign(this, { state, extent: moment.film.extent, unit: look.bold ? 1.5 : 1 });
    this.radius = (moment.film.count > 24 ? 5 : 6.5) * this.unit;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, edge, edge);
    pen.lineCap = pen.lineJoin = "round";
    if (shown.has("cells")) this.cells();
    if (state.chosen.code !== null) this.own(state.chosen.code);
    if (shown.has("assignment")) this.spokes();
    if (shown.has("trails")) this.trails();
    if (shown.has("points") && moment.film.encoder) this.scatter(moment.film.points.data, look.points, 1.7);
    if (shown.has("outputs")) this.scatter(moment.outputs, moment.film.encoder ? look.outputs : look.points, 2.3, true);
    if (shown.has("gradient")) this.arrows("gradient", moment.outputs, moment.film.output_scale, 1.2);
    if (shown.has("commitment")) this.arrows("commitment", moment.outputs, moment.film.output_scale, 1.2);
    if (shown.has("kmeans")) this.crosses();
    this.codes();
    if (shown.has("codebook")) this.arrows("codebook", moment.codes, moment.film.code_scale, 2.2, this.radius);
    if (state.chosen.point !== null) this.pointed(state.chosen);
  }

  line(colour, width, opacity = 1, dash = []) {
    const { pen } = this;
    pen.globalAlpha = opacity;
    pen.strokeStyle = colour;
    pen.lineWidth = width * this.unit;
    pen.setLineDash(dash);
    pen.stroke();
    pen.setLineDash([]);
    pen.globalAlpha = 1;
  }

  trace(polygon) {
    for (let i = 0; i < polygon.length; i += 2)
      this.pen[i ? "lineTo" : "moveTo"](this.x(polygon[i]), this.y(polygon[i + 1]));
    if (polygon.length) this.pen.closePath();
  }

  cells() {
    const { pen, state: { moment, look } } = this;
    pen.beginPath();
    for (const cell of moment.cells) this.trace(cell);
    this.line(look.ink, 1, 0.32);
  }

  /** The cell of the code pointed at. */
  own(code) {
    const { pen, state: { moment, look } } = this;
    pen.beginPath();
    this.trace(moment.cells[code]);
    pen.globalAlpha = 0.14;
    pen.fillStyle = look.codes;
    pen.fill();
    pen.globalAlpha = 1;
    this.line(look.codes, 1.6);
  }

  spokes() {
    const { pen, state: { moment: { outputs, codes, chosen }, look } } = this;
    pen.beginPath();
    for (let i = 0; i < chosen.length; i++) {
      pen.moveTo(this.x(outputs[2 * i]), this.y(outputs[2 * i + 1]));
      pen.lineTo(this.x(codes[2 * chosen[i]]), this.y(codes[2 * chosen[i] + 1]));
    }
    this.line(look.ink, 0.8, 0.16);
  }

  /** Where each code has been up to now; a code that started anew begins a new trail. */
  trails() {
    const { pen, state: { moment, look } } = this, { film, low, codes } = moment;
    pen.beginPath();
    for (let k = 0; k < film.count; k++) {
      for (let t = 0; t <= low; t++) {
        const at = 2 * (t * film.count + k), anew = t === 0 || film.restarted?.data[t * film.count + k];
        pen[anew ? "moveTo" : "lineTo"](this.x(film.codes.data[at]), this.y(film.codes.data[at + 1]));
      }
      if (!film.restarted?.data[(low + 1) * film.count + k]) pen.lineTo(this.x(codes[2 * k]), this.y(codes[2 * k + 1]));
    }
    this.line(look.codes, 1.4, 0.55);
  }

  scatter(places, colour, size, rim = false) {
    const { pen, ratio, state: { look } } = this, crowd = Math.min(1.15, Math.max(0.6, Math.sqrt(500 / (places.length / 2))));
    const scaled = Float32Array.from(places, (v, i) => (i % 2 ? this.y(v) : this.x(v)) * ratio);
    const radius = Math.round(size * crowd * Math.min(1.1, Math.max(0.75, this.edge / 480)) * ratio * this.unit * 4) / 4;
    pen.setTransform(1, 0, 0, 1, 0, 0);
    this.dots.draw(pen, scaled, radius, colour, rim ? { colour: look.paper, width: 0.8 * ratio, opacity: 0.9 } : undefined);
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  }

  /** Arrows that begin `off` pixels from where they belong, so that a code does not hide its own. */
  arrows(name, from, scale, width, off = 0) {
    const { pen, state: { moment, look } } = this, moves = moment.arrows(name), k = this.edge / (this.extent[1] - this.extent[0]);
    const trace = () => {
      for (let i = 0; i < moves.length; i += 2) this.arrow(this.x(from[i]), this.y(from[i + 1]), moves[i] * scale * k, -moves[i + 1] * scale * k, off);
    };
    if (!off) return this.hairs(trace, look[name], width);
    pen.beginPath();
    trace();
    this.line(look.paper, width + 2, 0.9);
    this.line(look[name], width);
  }

  /** Lines of one device pixel, as many beside each other as make the width: without a graphics card twenty times faster. */
  hairs(trace, colour, width) {
    const { pen, ratio } = this, count = Math.max(1, Math.round(width * this.unit * ratio));
    pen.strokeStyle = colour;
    pen.lineWidth = 1 / ratio;
    for (let k = 0; k < count; k++) {
      const shift = 0.7 * (k - (count - 1) / 2);
      pen.setTransform(ratio, 0, 0, ratio, shift, shift);
      pen.beginPath();
      trace();
      pen.stroke();
    }
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  }

  arrow(x0, y0, dx, dy, off) {
    const { pen } = this, length = Math.hypot(dx, dy), head = Math.min(7 * this.unit, 0.45 * length) / length;
    if (!(length > 1.5)) return;
    const x = x0 + (off * dx) / length, y = y0 + (off * dy) / length;
    const [tx, ty] = [x + dx, y + dy];
    pen.moveTo(x, y);
    pen.lineTo(tx, ty);
    pen.moveTo(tx - head * (dx - 0.55 * dy), ty - head * (dy + 0.55 * dx));
    pen.lineTo(tx, ty);
    pen.lineTo(tx - head * (dx + 0.55 * dy), ty - head * (dy - 0.55 * dx));
  }

  crosses() {
    const { pen, state: { moment: { film }, look } } = this, { data } = film.kmeans_codes, arm = 5 * this.unit;
    pen.beginPath();
    for (let i = 0; i < data.length; i += 2)
      for (const s of [1, -1]) {
        pen.moveTo(this.x(data[i]) - arm, this.y(data[i + 1]) - s * arm);
        pen.lineTo(this.x(data[i]) + arm, this.y(data[i + 1]) + s * arm);
      }
    this.line(look.paper, 4.5, 0.8);
    this.line(look.kmeans, 2.2);
  }

  /** Dead codes are hollow. */
  codes() {
    const { pen, radius, state: { moment, look, chosen } } = this;
    for (let k = 0; k < moment.film.count; k++) {
      const alive = moment.alive(k), large = k === chosen.code ? 1.35 : 1;
      pen.beginPath();
      pen.arc(this.x(moment.codes[2 * k]), this.y(moment.codes[2 * k + 1]), radius * large, 0, 7);
      pen.fillStyle = alive ? look.codes : look.paper;
      pen.fill();
      this.line(alive ? look.paper : look.codes, alive ? 1.6 : 2.2);
    }
  }

  /** The output pointed at, with lines to the nearest and the second nearest code. */
  pointed({ point, code, second }) {
    const { pen, state: { moment: { outputs, codes }, look } } = this, [x, y] = [this.x(outputs[2 * point]), this.y(outputs[2 * point + 1])];
    for (const [other, dash] of [[second, [4, 4]], [code, []]]) {
      if (other < 0) continue;
      pen.beginPath();
      pen.moveTo(x, y);
      pen.lineTo(this.x(codes[2 * other]), this.y(codes[2 * other + 1]));
      this.line(look.ink, 1.6, 0.9, dash);
    }
    pen.beginPath();
    pen.arc(x, y, 5 * this.unit, 0, 7);
    this.line(look.paper, 4);
    this.line(look.ink, 2);
  }
}
