// The triangle: density, paths, cloud and the sample pointed at, on one canvas.

import { Dots } from "./dots.js";
import { CORNERS, HEIGHT, REST, hasDensity } from "./concrete.js";
import { TriangleRaster } from "./raster.js";

const TIES = 120; // straight-through pairs that are joined by a line
export const PATHS = 60;

export class Picture {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.raster = new TriangleRaster();
    this.dots = new Dots();
    this.layers = {};
  }

  /** As large as a width and a largest height (CSS pixels) allow, with margins for the discs and the corners' labels. */
  resize(width, highest, margin) {
    const tall = HEIGHT + 2 * REST, edges = margin.top + margin.bottom;
    this.side = Math.min((width - 2 * margin.side) / (1 + 2 * REST), (highest - edges) / tall);
    this.rest = REST * this.side;
    const height = Math.ceil(tall * this.side + edges);
    this.ratio = Math.min(globalThis.devicePixelRatio || 1, 2);
    const [w, h] = [Math.round(width * this.ratio), Math.round(height * this.ratio)];
    if (this.canvas.width !== w || this.canvas.height !== h) Object.assign(this.canvas, { width: w, height: h });
    this.canvas.style.width = `${width}px`;
    this.canvas.style.height = `${height}px`;
    this.left = (width - this.side) / 2;
    this.base = margin.top + this.rest + this.side * HEIGHT;
  }

  /** From the plane of the triangle to CSS pixels, and back. */
  toScreen([x, y]) { return [this.left + x * this.side, this.base - y * this.side]; }

  fromScreen(px, py) { return [(px - this.left) / this.side, (this.base - py) / this.side]; }

  px(x) { return (this.left + x * this.side) * this.ratio; }
  py(y) { return (this.base - y * this.side) * this.ratio; }

  /** `scene`: { cloud, pi, tau, mode, scale, shown (Set), rows, paths, chosen, colours }; `colours` as in settings.py. */
  draw(scene) {
    this.scene = scene;
    this.unit = this.ratio * (scene.bold ? 1.6 : 1);
    this.context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    this.drawGround();
    if (scene.shown.has("paths")) this.drawPaths();
    if (scene.mode === "straight" && scene.shown.has("cloud")) this.drawTies();
    if (scene.shown.has("cloud")) this.drawCloud();
    if (scene.shown.has("paths") && scene.mode === "soft" && scene.tau > 0) this.drawWalkers();
    if (scene.chosen !== null) this.drawChosen(scene.chosen);
  }

  outline() {
    const c = this.context;
    c.beginPath();
    for (const [x, y] of CORNERS) c.lineTo(this.px(x), this.py(y));
    c.closePath();
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

  drawGround() {
    const { pi, tau, scale, shown, rows, colours } = this.scene, c = this.context;
    this.outline();
    if (shown.has("density") && hasDensity(pi, tau)) {
      const image = this.raster.paint(pi, tau, rows, scale, colours.ramp);
      c.save();
      c.clip();
      c.imageSmoothingQuality = "medium";
      c.drawImage(image, this.px(0), this.py(HEIGHT), this.side * this.ratio, this.side * HEIGHT * this.ratio);
      c.restore();
    } else {
      c.fillStyle = colours.ramp[0];
      c.fill();
    }
    this.outline();
    this.stroke(colours.edge, 1.2);
    this.drawCentre();
  }

  /** A small cross where all categories are equal. */
  drawCentre() {
    const c = this.context, x = this.px(0.5), y = this.py(HEIGHT / 3), arm = 4 * this.unit;
    c.beginPath();
    for (const [dx, dy] of [[arm, 0], [0, arm]]) {
      c.moveTo(x - dx, y - dy);
      c.lineTo(x + dx, y + dy);
    }
    this.stroke(this.scene.colours.ink, 1.2, 0.55);
  }

  trace(path) {
    const c = this.context;
    c.moveTo(this.px(path[0]), this.py(path[1]));
    for (let p = 2; p < path.length; p += 2) c.lineTo(this.px(path[p]), this.py(path[p + 1]));
  }

  /** What does not change with τ is kept as a picture of its own: `paint` fills it when `key` or `thing` is new. */
  keep(name, thing, key, paint) {
    const { width, height } = this.canvas, { colours, bold } = this.scene, main = this.context;
    const layer = (this.layers[name] ??= { canvas: document.createElement("canvas") });
    const wanted = JSON.stringify([width, height, this.side, colours.categories, bold, key]);
    if (layer.thing !== thing || layer.key !== wanted) {
      Object.assign(layer.canvas, { width, height });
      Object.assign(layer, { thing, key: wanted });
      this.context = layer.canvas.getContext("2d");
      paint();
      this.context = main;
    }
    main.drawImage(layer.canvas, 0, 0);
  }

  drawPaths() {
    const { paths, cloud, colours } = this.scene;
    this.keep("paths", paths, "", () => {
      for (let k = 0; k < 3; k++) {
        this.context.beginPath();
        for (let i = 0; i < paths.length; i++) if (cloud.kinds[i] === k) this.trace(paths[i]);
        this.stroke(colours.categories[k], 1, 0.6);
      }
    });
  }

  /** Where the cloud is drawn: in device pixels, as many as there are samples. */
  pixels(places) {
    const { count } = this.scene.cloud;
    if (this.places?.length !== 2 * count) this.places = new Float32Array(2 * count);
    const { places: out } = this, scale = this.side * this.ratio, x0 = this.px(0), y0 = this.py(0);
    for (let i = 0; i < 2 * count; i += 2) {
      out[i] = x0 + scale * places[i];
      out[i + 1] = y0 - scale * places[i + 1];
    }
    return out;
  }

  radius(size) {
    const crowd = Math.min(1.35, Math.max(0.75, Math.sqrt(1500 / this.scene.cloud.count)));
    const room = Math.max(Math.min(this.side / 480, 1.2), 0.65);
    return Math.round(size * crowd * room * this.ratio * (this.scene.bold ? 1.25 : 1) * 4) / 4;
  }

  drawCloud() {
    const { cloud, colours, mode, places, pi } = this.scene, hues = colours.categories;
    if (mode === "straight") {
      this.context.globalAlpha = 0.5;
      this.dots.drawKinds(this.context, this.pixels(cloud.soft), cloud.kinds, this.radius(1.1), hues);
      this.context.globalAlpha = 1;
    }
    const rim = { colour: colours.rim, opacity: 0.75, width: 0.6 * this.ratio };
    const draw = () => this.dots.drawKinds(this.context, this.pixels(places), cloud.kinds, this.radius(1.7), hues, rim);
    if (places === cloud.hard) this.keep("corners", cloud, [pi, cloud.count], draw);
    else draw();
  }

  /** From hard points to the soft points whose gradient they take. */
  drawTies() {
    const { cloud, colours } = this.scene, c = this.context, [soft, hard] = [cloud.soft, cloud.hard];
    for (let k = 0; k < 3; k++) {
      c.beginPath();
      for (let i = 0; i < Math.min(cloud.count, TIES); i++) {
        if (cloud.kinds[i] !== k) continue;
        c.moveTo(this.px(hard[2 * i]), this.py(hard[2 * i + 1]));
        c.lineTo(this.px(soft[2 * i]), this.py(soft[2 * i + 1]));
      }
      this.stroke(colours.categories[k], 0.8, 0.45);
    }
  }

  disc(x, y, radius, fill, rim, width) {
    const c = this.context;
    c.beginPath();
    c.arc(this.px(x), this.py(y), radius * this.unit, 0, 7);
    c.fillStyle = fill;
    c.fill();
    this.stroke(rim, width);
  }

  /** The samples whose paths are drawn, where they are now. */
  drawWalkers() {
    const { cloud, colours, paths } = this.scene;
    for (let i = 0; i < paths.length; i++)
      this.disc(cloud.soft[2 * i], cloud.soft[2 * i + 1], 3.2, colours.categories[cloud.kinds[i]], colours.rim, 1);
  }

  drawChosen({ index, path }) {
    const { cloud, colours, mode, places } = this.scene, c = this.context, colour = colours.categories[cloud.kinds[index]];
    c.beginPath();
    this.trace(path);
    this.stroke(colours.rim, 5, 0.8);
    this.stroke(colour, 2.2);
    if (mode === "straight") {
      c.beginPath();
      c.moveTo(this.px(places[2 * index]), this.py(places[2 * index + 1]));
      c.lineTo(this.px(cloud.soft[2 * index]), this.py(cloud.soft[2 * index + 1]));
      this.stroke(colours.ink, 1.4);
      this.disc(cloud.soft[2 * index], cloud.soft[2 * index + 1], 3.6, colours.rim, colour, 1.6);
    }
    this.disc(places[2 * index], places[2 * index + 1], 5.5, colour, colours.rim, 3.4);
    c.beginPath();
    c.arc(this.px(places[2 * index]), this.py(places[2 * index + 1]), 7.6 * this.unit, 0, 7);
    this.stroke(colours.ink, 1.6);
  }
}
