// One manifold: balls of one set as a union, and the points of the other set by whether they are covered.

import { Dots, rgb } from "./dots.js";
import { Union } from "./union.js";

const INSIDE = { light: 0.17, dark: 0.22 }, RIM = 0.8;
const CROWD = 1200; // more points than that are drawn smaller

/** Where a point of the plane lies in a square of pixels, and back: one scale for both axes, y upwards. */
export class Frame {
  constructor([left, right, bottom, top], side) {
    const wide = right - left, tall = top - bottom;
    this.scale = side / Math.max(wide, tall, 1e-12);
    this.x0 = side / 2 - this.scale * (left + wide / 2);
    this.y0 = side / 2 + this.scale * (bottom + tall / 2);
  }

  places(points, out) {
    const places = out?.length === points.length ? out : new Float32Array(points.length);
    for (let i = 0; i < points.length; i += 2) {
      places[i] = this.x0 + this.scale * points[i];
      places[i + 1] = this.y0 - this.scale * points[i + 1];
    }
    return places;
  }
}

export class Panel {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.union = new Union();
    this.dots = new Dots();
    this.balls = null; // whose union the image holds
  }

  /** A square of `side` CSS pixels that shows `extent`. */
  resize(side, extent) {
    this.ratio = Math.min(globalThis.devicePixelRatio || 1, 2);
    const pixels = Math.max(8, Math.round(side * this.ratio)), key = JSON.stringify([pixels, extent]);
    if (key === this.key) return;
    Object.assign(this, { key, side, pixels, frame: new Frame(extent, pixels), balls: null });
    Object.assign(this.canvas, { width: pixels, height: pixels });
    this.canvas.style.width = this.canvas.style.height = `${side}px`;
    this.union.resize(pixels, pixels);
    this.image = this.context.createImageData(pixels, pixels);
    this.words = new Uint32Array(this.image.data.buffer);
  }

  /** `scene`: { centres, others, radii (of the column), covered (of the tested), tested, colours, … }, see stage.js. */
  draw(scene) {
    const { context: c } = this;
    this.scene = scene;
    this.unit = this.ratio * (scene.bold ? 1.35 : 1);
    if (scene.show.has("balls")) this.drawBalls();
    else c.clearRect(0, 0, this.pixels, this.pixels);
    const tested = this.frame.places(scene.tested.points, this.tested), idle = this.frame.places(scene.idle.points, this.idle);
    Object.assign(this, { tested, idle });
    if (scene.show.has("points")) {
      this.drawIdle();
      this.drawTested();
    }
    if (scene.chosen) this.drawChosen(scene.chosen);
  }

  drawBalls() {
    const { scene, union } = this, { balls, colours } = scene;
    if (this.balls !== balls.radii || this.tint !== balls.colour || this.shade !== colours.shade) {
      union.paint(balls.points, balls.radii, this.frame);
      union.colour(this.words, rgb(balls.colour), INSIDE[colours.shade], RIM);
      Object.assign(this, { balls: balls.radii, tint: balls.colour, shade: colours.shade });
    }
    this.context.putImageData(this.image, 0, 0); // it also wipes what was there
  }

  size(base, count) {
    return Math.round(base * Math.min(1, Math.max(0.5, (CROWD / count) ** 0.3)) * this.unit * 4) / 4;
  }

  /** The points that are not tested: small, in the colour of their set. */
  drawIdle() {
    const { idle } = this.scene;
    this.context.globalAlpha = 0.75;
    this.dots.draw(this.context, this.idle, this.size(1.2, idle.points.length / 2), idle.colour);
    this.context.globalAlpha = 1;
  }

  /** The tested points: filled where covered, hollow where not. */
  drawTested() {
    const { tested, covered, colours } = this.scene, count = tested.points.length / 2, [inside, outside] = [[], []];
    for (let i = 0; i < count; i++) (covered[i] ? inside : outside).push(this.tested[2 * i], this.tested[2 * i + 1]);
    const radius = this.size(2.4, count), thin = this.size(1.3, count);
    this.dots.draw(this.context, inside, radius, tested.colour, { colour: colours.ground, width: 0.6 * this.ratio, opacity: 0.8 });
    this.dots.draw(this.context, outside, radius, colours.ground, { colour: tested.colour, width: thin, opacity: 1 });
  }

  circle(x, y, radius, colour, width, fill) {
    const c = this.context;
    c.beginPath();
    c.arc(x, y, Math.max(radius, 0), 0, 7);
    if (fill) {
      c.fillStyle = fill;
      c.fill();
    }
    c.strokeStyle = colour;
    c.lineWidth = width;
    c.stroke();
  }

  /** The point that is pointed at, the balls and points that belong to it. */
  drawChosen({ x, y, rings, partners, colour }) {
    const { frame, scene: { colours, balls }, context: c } = this;
    const at = (px, py) => [frame.x0 + frame.scale * px, frame.y0 - frame.scale * py];
    for (const [px, py, radius] of rings) {
      c.globalAlpha = Math.max(0.05, 0.3 / Math.sqrt(rings.length));
      c.fillStyle = balls.colour;
      c.beginPath();
      c.arc(...at(px, py), radius * frame.scale, 0, 7);
      c.fill();
      c.globalAlpha = 1;
      this.circle(...at(px, py), radius * frame.scale, balls.colour, 1.8 * this.unit);
    }
    c.beginPath();
    for (const [px, py] of partners) {
      c.moveTo(...at(x, y));
      c.lineTo(...at(px, py));
    }
    c.strokeStyle = colours.ink;
    c.globalAlpha = partners.length > 60 ? 0.25 : 0.6;
    c.lineWidth = this.unit;
    c.stroke();
    c.globalAlpha = 1;
    for (const [px, py, hue] of partners) this.circle(...at(px, py), 3.2 * this.unit, colours.ground, 1.2 * this.unit, hue);
    this.circle(...at(x, y), 5 * this.unit, colours.ground, 2.6 * this.unit, colour);
    this.circle(...at(x, y), 7 * this.unit, colours.ink, 1.5 * this.unit);
  }

  /** The point nearest to a place (CSS pixels) among both sets: { set: "tested" | "idle", index }, or null. */
  nearest(px, py, reach) {
    const x = px * this.ratio, y = py * this.ratio;
    let best = null, least = (reach * this.ratio) ** 2;
    for (const set of ["idle", "tested"]) {
      const places = this[set] ?? [];
      for (let i = 0; i < places.length; i += 2) {
        const dx = places[i] - x, dy = places[i + 1] - y, distance = dx * dx + dy * dy;
        if (distance <= least) [best, least] = [{ set, index: i >> 1 }, distance];
      }
    }
    return best;
  }
}
