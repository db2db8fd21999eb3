// The code maps of the whole set, each a small mosaic of its codes' mean colours; where they are too many, one square each.

import { Layers, clampTo, count } from "./draw.js";

const HIGHEST = 380; // height, CSS pixels

/** [b, g, r] of a word moved towards another. */
function blend(word, other, share) {
  let out = 0xff000000;
  for (let shift = 0; shift < 24; shift += 8) {
    const a = (word >>> shift) & 255, b = (other >>> shift) & 255;
    out |= Math.round(a + share * (b - a)) << shift;
  }
  return out >>> 0;
}

export class Wall {
  constructor(element, browser) {
    this.browser = browser;
    this.element = element;
    this.layers = new Layers(element);
    this.note = element.parentElement.querySelector(".note");
    const { over } = this.layers;
    over.addEventListener("pointermove", (event) => this.move(event));
    over.addEventListener("pointerleave", () => this.leave());
    over.addEventListener("click", (event) => browser.pin(this.codeAt(event)));
  }

  get needed() { return this.browser.book.total > this.browser.book.shown; }

  /** The largest whole number of pixels a cell with which all maps fit, else squares. */
  layout(room) {
    const { book } = this.browser;
    this.element.parentElement.hidden = !this.needed;
    if (!this.needed) return;
    this.mosaic = false;
    for (const edge of [4, 3, 2, 1]) if (!this.mosaic) this.mosaic = this.fit(room, edge, book.columns, book.rows, 1);
    for (let edge = 10; edge > 0 && !this.mosaic; edge--) if (this.fit(room, edge, 1, 1, 0) || edge === 1) break;
    const { columns, rows, edge, block } = this;
    const [width, height] = [columns * block[0] - this.gap, rows * block[1] - this.gap];
    this.layers.fit(width * edge, height * edge);
    for (const canvas of [this.layers.base, this.layers.over]) Object.assign(canvas, { width, height });
    this.image = new ImageData(width, height);
    this.words = new Uint32Array(this.image.data.buffer);
    this.locate();
  }

  fit(room, edge, w, h, gap) {
    const { book } = this.browser, columns = Math.min(book.total, Math.floor((room / edge + gap) / (w + gap)));
    const rows = Math.ceil(book.total / Math.max(columns, 1));
    Object.assign(this, { columns: Math.max(columns, 1), rows, edge, gap, block: [w + gap, h + gap] });
    return columns > 0 && (rows * (h + gap) - gap) * edge <= HIGHEST;
  }

  /** The pixel of each cell, or of each image. */
  locate() {
    const { book } = this.browser, { width } = this.image, { block, columns } = this, per = this.mosaic ? book.cells : 1;
    this.pixels = new Uint32Array(book.total * per);
    for (let image = 0, i = 0; image < book.total; image++) {
      const left = (image % columns) * block[0], top = Math.floor(image / columns) * block[1];
      for (let k = 0; k < per; k++, i++)
        this.pixels[i] = (top + Math.floor(k / book.columns)) * width + left + (k % book.columns);
    }
  }

  /** Colours at rest and dimmed. */
  drawBase() {
    if (!this.needed) return;
    const { book, maps, look } = this.browser, { pixels } = this;
    this.rest = new Uint32Array(this.words.length);
    this.dim = new Uint32Array(this.words.length);
    for (let i = 0; i < pixels.length; i++) {
      const colour = this.mosaic ? book.means[maps[i]] : this.meanOf(i);
      this.rest[pixels[i]] = colour;
      this.dim[pixels[i]] = blend(colour, look.paperWord, 0.8);
    }
  }

  meanOf(image) {
    const { book, maps } = this.browser, sum = [0, 0, 0];
    for (let k = image * book.cells; k < (image + 1) * book.cells; k++)
      for (let c = 0; c < 3; c++) sum[c] += (book.means[maps[k]] >>> (8 * c)) & 255;
    const [r, g, b] = sum.map((v) => Math.round(v / book.cells));
    return (0xff000000 | (b << 16) | (g << 8) | r) >>> 0;
  }

  drawOver() {
    if (!this.needed) return;
    const { browser, words } = this, { code, places, book, look } = browser;
    words.set(code === null ? this.rest : this.dim);
    let images = 0, before = -1;
    if (code !== null) {
      const lit = places.of(code), counts = this.mosaic ? null : new Uint16Array(book.total);
      for (const at of lit) {
        const image = Math.floor(at / book.cells);
        images += image !== before;
        before = image;
        if (this.mosaic) words[this.pixels[at]] = look.latentWord;
        else words[this.pixels[image]] = blend(this.dim[this.pixels[image]], look.latentWord, clampTo(0.3 + ++counts[image] / 8, 0, 1));
      }
    }
    this.layers.over.getContext("2d").putImageData(this.image, 0, 0);
    const what = code === null ? `${count(book.total)} images` : `code ${code}: in ${count(images)} of ${count(book.total)} images`;
    this.note.textContent = this.spot === null || this.spot === undefined ? what : `${what} · pointing at image ${count(this.spot)}`;
  }

  imageAt(event) {
    const [x, y] = this.layers.place(event).map((v) => v / this.edge), { block, columns } = this;
    const c = Math.floor(x / block[0]), image = Math.floor(y / block[1]) * columns + c;
    const [dx, dy] = [Math.floor(x % block[0]), Math.floor(y % block[1])];
    const inside = c >= 0 && c < columns && image >= 0 && image < this.browser.book.total;
    return inside ? { image, dx, dy } : null;
  }

  codeAt(event) {
    const { book, maps } = this.browser, at = this.imageAt(event);
    if (!this.mosaic || !at || at.dx >= book.columns || at.dy >= book.rows) return null;
    return maps[at.image * book.cells + at.dy * book.columns + at.dx];
  }

  move(event) {
    const at = this.imageAt(event);
    this.spot = at ? at.image : null;
    this.browser.point(this.codeAt(event));
    this.browser.refresh();
  }

  leave() {
    this.spot = null;
    this.browser.point(null);
    this.browser.refresh();
  }
}
