// The picture: density, field, grid, points, particles and path of one moment, in layers.

import { DensityRaster } from "./density.js";
import { Dots } from "./dots.js";

// Over a density each kind of dot has a rim that parts it from any colour of the map, bright or dark.
const RIMS = { points: { colour: "#1a1420", opacity: 1 }, particles: { colour: "#ffffff", opacity: 0.8 } };

export const LAYERS = [
  ["density", "Density"], ["points", "Data"], ["arrows", "Field"], ["grid", "Grid"],
  ["particles", "Particles"], ["path", "Path"],
];

export class Stage {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.raster = new DensityRaster();
    this.dots = new Dots();
  }

  /** The stage's size in CSS pixels. */
  resize(width, height) {
    this.ratio = Math.min(globalThis.devicePixelRatio || 1, 2);
    const [w, h] = [Math.round(width * this.ratio), Math.round(height * this.ratio)];
    if (this.canvas.width !== w || this.canvas.height !== h) Object.assign(this.canvas, { width: w, height: h });
    this.canvas.style.width = `${width}px`;
    this.canvas.style.height = `${height}px`;
  }

  /** `scene`: { film, index, look, view, shown (Set), overlays, ink, accents, bold, mark }. */
  draw(scene) {
    const { context: c, canvas } = this;
    this.scene = scene;
    this.unit = this.ratio * (scene.bold ? 1.6 : 1); // one line's width
    this.scaleX = canvas.width / (scene.view[1] - scene.view[0]);
    this.scaleY = canvas.height / (scene.view[3] - scene.view[2]);
    c.setTransform(1, 0, 0, 1, 0, 0);
    if (scene.shown.has("density")) this.drawDensity();
    else c.clearRect(0, 0, canvas.width, canvas.height);
    const on = scene.shown.has("density");
    if (scene.shown.has("points")) this.drawDots(scene.overlays.points, 0, 0, 1.4, scene.accents.data, on && RIMS.points);
    if (scene.shown.has("arrows")) this.drawArrows();
    if (scene.shown.has("grid")) this.drawGrid();
    if (scene.shown.has("particles")) {
      const { low, share } = this.between();
      this.drawDots(scene.film.particles, low, share, 1.7, scene.accents.model, on && RIMS.particles);
    }
    if (scene.shown.has("path")) this.drawPath();
    if (scene.mark) this.drawMark(scene.mark);
  }

  px(x) { return (x - this.scene.view[0]) * this.scaleX; }
  py(y) { return (this.scene.view[3] - y) * this.scaleY; }

  /** The frame below the moment, and the share of the one above. */
  between() {
    const low = Math.floor(this.scene.index);
    return { low, share: this.scene.index - low };
  }

  drawDensity() {
    const { film, index, look, view } = this.scene, [x0, x1, y0, y1] = film.extent, c = this.context;
    const image = this.raster.paint(film, index, look);
    c.imageSmoothingEnabled = true;
    c.imageSmoothingQuality = "medium";
    const sx = film.width / (x1 - x0), sy = film.height / (y1 - y0);
    c.drawImage(image, (view[0] - x0) * sx, (y1 - view[3]) * sy, (view[1] - view[0]) * sx, (view[3] - view[2]) * sy,
      0, 0, this.canvas.width, this.canvas.height);
  }

  /** Dots of one colour; `rim` is the colour of a thin line that parts them from whatever lies beneath. */
  drawDots(dots, low, share, size, colour, rim) {
    const [count] = dots.shape.slice(-2), d = dots.data;
    const a = low * count * 2, b = share ? a + count * 2 : a;
    if (this.places?.length !== 2 * count) this.places = new Float32Array(2 * count);
    for (let i = 0; i < 2 * count; i += 2) {
      this.places[i] = this.px(d[a + i] + share * (d[b + i] - d[a + i]));
      this.places[i + 1] = this.py(d[a + i + 1] + share * (d[b + i + 1] - d[a + i + 1]));
    }
    const crowd = Math.min(1, Math.max(0.6, Math.sqrt(1200 / count))); // many dots are smaller dots
    const stage = Math.max(Math.min(this.canvas.width / this.ratio / 480, 1.25), 0.6);
    const radius = Math.round(size * crowd * stage * this.ratio * (this.scene.bold ? 1.25 : 1) * 4) / 4;
    this.dots.draw(this.context, this.places, radius, colour, rim && { ...rim, width: 0.75 * this.ratio });
  }

  stroke(colour, width, opacity = 1) {
    const c = this.context;
    c.globalAlpha = opacity;
    c.strokeStyle = colour;
    c.lineWidth = width * this.unit;
    c.lineCap = c.lineJoin = "round";
    c.stroke();
    c.globalAlpha = 1;
  }

  /** A thin line that is seen on bright colours too: over a density it has a faint shadow. */
  line(colour, width, opacity) {
    if (this.scene.shown.has("density")) this.stroke(this.scene.halo, width + 1.4, 0.22);
    this.stroke(colour, width, opacity);
  }

  drawArrows() {
    const { film, ink } = this.scene, { low, share } = this.between(), c = this.context;
    const [, rows, columns] = film.arrows.shape, [x0, x1, y0, y1] = film.extent, v = film.arrows.data;
    const stepX = (x1 - x0) / columns, stepY = (y1 - y0) / rows;
    const scale = (0.85 * Math.min(stepX, stepY)) / (film.speed || 1), step = rows * columns * 2;
    const a = low * step, b = share ? a + step : a, longest = 1.25 * 0.85 * Math.min(stepX, stepY);
    c.beginPath();
    for (let r = 0, i = 0; r < rows; r++)
      for (let k = 0; k < columns; k++, i += 2) {
        let dx = scale * (v[a + i] + share * (v[b + i] - v[a + i]));
        let dy = scale * (v[a + i + 1] + share * (v[b + i + 1] - v[a + i + 1]));
        const cut = Math.min(1, longest / Math.hypot(dx, dy));
        this.arrow(x0 + (k + 0.5) * stepX, y0 + (r + 0.5) * stepY, dx * cut, dy * cut);
      }
    this.line(ink, 1.1, 0.75);
  }

  /** An arrow centred on its place, its head a third of it. */
  arrow(x, y, dx, dy) {
    const c = this.context, ux = dx * this.scaleX, uy = -dy * this.scaleY;
    if (!(Math.hypot(ux, uy) > 1.5 * this.ratio)) return;
    const tx = this.px(x) + ux / 2, ty = this.py(y) + uy / 2;
    c.moveTo(tx - ux, ty - uy);
    c.lineTo(tx, ty);
    c.moveTo(tx - 0.3 * ux + 0.18 * uy, ty - 0.3 * uy - 0.18 * ux);
    c.lineTo(tx, ty);
    c.lineTo(tx - 0.3 * ux - 0.18 * uy, ty - 0.3 * uy + 0.18 * ux);
  }

  drawGrid() {
    const { film, ink } = this.scene, { low, share } = this.between(), c = this.context;
    const [, lines, points] = film.grid.shape, d = film.grid.data, step = lines * points * 2;
    const a = low * step, b = share ? a + step : a;
    c.beginPath();
    for (let l = 0, i = 0; l < lines; l++)
      for (let p = 0; p < points; p++, i += 2) {
        const x = this.px(d[a + i] + share * (d[b + i] - d[a + i]));
        const y = this.py(d[a + i + 1] + share * (d[b + i + 1] - d[a + i + 1]));
        if (p) c.lineTo(x, y);
        else c.moveTo(x, y);
      }
    this.line(ink, 0.9, 0.6);
  }

  /** The whole trajectory faintly, what has been travelled strongly, its dot and the ellipse there. */
  drawPath() {
    const { overlays, accents, ink, halo } = this.scene, { low, share } = this.between(), c = this.context;
    const d = overlays.path.data, high = Math.min(low + 1, overlays.path.shape[0] - 1);
    const at = (i) => [this.px(d[2 * i]), this.py(d[2 * i + 1])];
    const [ax, ay] = at(Math.min(low, high)), [bx, by] = at(high);
    const x = ax + share * (bx - ax), y = ay + share * (by - ay);
    const trace = (end) => {
      c.beginPath();
      for (let i = 0; i <= end; i++) c.lineTo(...at(i));
    };
    trace(overlays.path.shape[0] - 1);
    this.stroke(halo, 4.5, 0.45);
    this.stroke(ink, 1.4, 0.6);
    trace(low);
    c.lineTo(x, y);
    this.stroke(accents.latent, 2.6);
    if (overlays.ellipses) this.drawEllipse(x, y, low, high, share);
    c.beginPath();
    c.arc(x, y, 5 * this.unit, 0, 7);
    c.fillStyle = accents.latent;
    c.fill();
    this.stroke("#fff", 1.6);
  }

  /** The image of a small circle under the flow's Jacobian there: J (cos φ, sin φ) times a radius. */
  drawEllipse(x, y, low, high, share) {
    const c = this.context, { data: j } = this.scene.overlays.ellipses, radius = this.scene.ellipseRadius;
    const entry = (k) => radius * (j[4 * low + k] + share * (j[4 * high + k] - j[4 * low + k]));
    const [a, b, e, f] = [entry(0), entry(1), entry(2), entry(3)];
    c.beginPath();
    for (let k = 0; k <= 48; k++) {
      const u = Math.cos((k * Math.PI) / 24), v = Math.sin((k * Math.PI) / 24);
      c.lineTo(x + (a * u + b * v) * this.scaleX, y - (e * u + f * v) * this.scaleY);
    }
    this.stroke(this.scene.halo, 3.6, 0.5);
    this.stroke(this.scene.accents.latent, 1.8);
  }

  /** A ring at the point that was picked. */
  drawMark([x, y]) {
    const c = this.context;
    c.beginPath();
    c.arc(this.px(x), this.py(y), 6 * this.unit, 0, 7);
    this.stroke(this.scene.halo, 4, 0.6);
    this.stroke(this.scene.ink, 1.8);
  }
}
