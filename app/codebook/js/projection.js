// Codes over encoder outputs in two dimensions.

import { Layers } from "./draw.js";
import { Dots } from "./dots.js";

const NEAR = 18; // CSS pixels from a code within which it is pointed at
const EDGE = 10;

export class Projection {
  constructor(element, browser) {
    this.browser = browser;
    this.layers = new Layers(element);
    this.dots = new Dots();
    const { over } = this.layers;
    over.addEventListener("pointermove", (event) => browser.point(this.at(event)));
    over.addEventListener("pointerleave", () => browser.point(null));
    over.addEventListener("click", (event) => browser.pin(this.at(event)));
  }

  layout(room, height) {
    this.layers.fit(room, height);
    const { book } = this.browser, span = (from) => {
      let low = Infinity, high = -Infinity;
      for (const list of [book.positions, book.outputs])
        for (let i = from; i < list.length; i += 2) {
          low = Math.min(low, list[i]);
          high = Math.max(high, list[i]);
        }
      return [(low + high) / 2, high - low || 1];
    };
    const [[cx, w], [cy, h]] = [span(0), span(1)];
    this.scale = Math.min((room - 2 * EDGE) / w, (height - 2 * EDGE) / h);
    this.x = (x) => room / 2 + (x - cx) * this.scale;
    this.y = (y) => height / 2 - (y - cy) * this.scale;
    this.spots = Float32Array.from(book.positions, (v, i) => (i % 2 ? this.y(v) : this.x(v)));
    this.cloud = Float32Array.from(book.outputs, (v, i) => (i % 2 ? this.y(v) : this.x(v)));
    this.size = (book.codes > 1000 ? 2 : book.codes > 200 ? 2.6 : 3.6) * this.browser.look.scale;
  }

  at(event) {
    const [x, y] = this.layers.place(event), { spots } = this;
    let best = null, least = NEAR * NEAR;
    for (let i = 0; i < spots.length; i += 2) {
      const distance = (spots[i] - x) ** 2 + (spots[i + 1] - y) ** 2;
      if (distance < least) [best, least] = [i / 2, distance];
    }
    return best;
  }

  scatter(pen, places, radius, colour, rim) {
    const { ratio } = this.layers, scaled = places.map((v) => v * ratio);
    pen.save();
    pen.setTransform(1, 0, 0, 1, 0, 0);
    this.dots.draw(pen, scaled, Math.round(radius * ratio * 4) / 4, colour, rim && { ...rim, width: rim.width * ratio });
    pen.restore();
  }

  pick(places, entries) {
    const out = new Float32Array(2 * entries.length);
    entries.forEach((entry, i) => out.set(places.subarray(2 * entry, 2 * entry + 2), 2 * i));
    return out;
  }

  drawBase() {
    const { book, look } = this.browser, pen = this.layers.pen("base");
    const crowd = Math.min(1.6, Math.max(0.9, 1.6 * Math.sqrt(800 / (this.cloud.length / 2 + 1))));
    this.scatter(pen, this.cloud, crowd * look.scale, look.haze);
    const alive = Array.from({ length: book.codes }, (_, k) => k).filter((k) => book.usage[k]);
    this.scatter(pen, this.pick(this.spots, alive), this.size, look.latent, { colour: look.paperHex, width: 1, opacity: 1 });
    for (let k = 0; k < book.codes; k++) if (!book.usage[k]) this.hollow(pen, k);
  }

  hollow(pen, code) {
    const { look } = this.browser;
    pen.beginPath();
    pen.arc(this.spots[2 * code], this.spots[2 * code + 1], this.size + 0.5, 0, 7);
    pen.fillStyle = look.paper;
    pen.fill();
    pen.lineWidth = 1.3;
    pen.strokeStyle = look.latent;
    pen.stroke();
  }

  drawOver() {
    const { book, code, pinned, look } = this.browser, pen = this.layers.pen("over");
    if (code !== null) {
      this.scatter(pen, this.pick(this.cloud, book.owned.of(code)), 2.2 * look.scale, look.data, { colour: look.paperHex, width: 0.7, opacity: 0.9 });
      this.links(pen, code);
    }
    if (pinned.code !== null) this.ring(pen, pinned.code, look.ink);
    if (code !== null) this.ring(pen, code, look.latent);
  }

  /** Lines to the neighbours. */
  links(pen, code) {
    const { book, look } = this.browser, [x, y] = this.spots.subarray(2 * code, 2 * code + 2);
    for (const [width, colour] of [[3.2, look.paper], [1.3, look.latent]]) {
      pen.lineWidth = width;
      pen.strokeStyle = colour;
      pen.beginPath();
      for (const other of book.neighboursOf(code)) {
        pen.moveTo(x, y);
        pen.lineTo(this.spots[2 * other], this.spots[2 * other + 1]);
      }
      pen.stroke();
    }
  }

  ring(pen, code, colour) {
    const { look } = this.browser, [x, y] = this.spots.subarray(2 * code, 2 * code + 2);
    for (const [radius, fill] of [[this.size + 4.5, look.paper], [this.size + 3, colour], [this.size + 0.8, look.paper], [this.size, look.latent]]) {
      pen.beginPath();
      pen.arc(x, y, radius, 0, 7);
      pen.fillStyle = fill;
      pen.fill();
    }
  }
}
