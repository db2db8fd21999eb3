// One image: the original, its code map and what the decoder makes of it; looked at cell by cell, or painted on.

import { clampTo, frame, Layers } from "./draw.js";
import { css, ramp } from "./density.js";

const PARTS = ["original", "map", "decoded"];
const MOVES = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };
const CAPTIONS = { tiles: "code map", distance: "distance to its code: bright is far",
  margin: "how much farther the second code is: bright is sure" };

export class Inspector {
  constructor(element, browser) {
    this.browser = browser;
    this.element = element;
    this.find = (name) => element.querySelector(`.${name}`);
    this.view = "tiles";
    this.parts = PARTS.map((name) => new Layers(element.querySelector(`.${name} .layers`)));
    this.parts.forEach(({ over }, k) => this.listen(over, k > 0));
  }

  listen(canvas, paintable) {
    const { browser } = this, { editing } = browser;
    canvas.addEventListener("pointermove", (event) => this.move(event));
    canvas.addEventListener("pointerleave", () => !editing.stroke && browser.pointCell(null));
    canvas.addEventListener("pointerdown", (event) => this.down(event, paintable));
    for (const type of ["pointerup", "pointercancel", "lostpointercapture"]) canvas.addEventListener(type, () => editing.end());
    canvas.addEventListener("click", (event) => this.click(event));
    canvas.addEventListener("keydown", (event) => this.key(event, paintable));
    canvas.addEventListener("blur", () => !editing.stroke && browser.pointCell(null));
  }

  /** Three pictures side by side, or on narrow pages the map above the other two. */
  layout(room, most) {
    const { book } = this.browser, gap = 16, ratio = book.images.height / book.images.width, stacked = room < 420;
    this.element.dataset.stacked = String(stacked);
    const fitted = (columns) => Math.floor(Math.min((room - (columns - 1) * gap) / columns, most / ratio));
    const small = stacked ? fitted(2) : fitted(3), wide = stacked ? fitted(1) : small;
    this.parts.forEach((layers, k) => {
      const width = this.whole(k === 1 ? wide : small, book.columns);
      layers.fit(width, Math.round(width * ratio));
    });
  }

  /** A width of which every cell has the same whole number of pixels, where that costs little. */
  whole(width, cells) { return width > 6 * cells ? Math.floor(width / cells) * cells : width; }

  cellAt(event) {
    const { book } = this.browser, layers = this.parts.find(({ over }) => over === event.currentTarget), [x, y] = layers.place(event);
    const c = clampTo(Math.floor((x / layers.width) * book.columns), 0, book.columns - 1);
    return clampTo(Math.floor((y / layers.height) * book.rows), 0, book.rows - 1) * book.columns + c;
  }

  move(event) {
    const { editing } = this.browser, cell = this.cellAt(event);
    if (editing.stroke) editing.paint(this.between(editing.last, cell));
    this.browser.pointCell(cell, !editing.painting);
  }

  /** The cells on the way from one to the next, so that a fast stroke has no holes. */
  between(from, to) {
    const { columns } = this.browser.book, [c0, r0] = [from % columns, Math.floor(from / columns)];
    const [c1, r1] = [to % columns, Math.floor(to / columns)], steps = Math.max(Math.abs(c1 - c0), Math.abs(r1 - r0), 1);
    return Array.from({ length: steps }, (_, k) => {
      const share = (k + 1) / steps;
      return Math.round(r0 + share * (r1 - r0)) * columns + Math.round(c0 + share * (c1 - c0));
    });
  }

  down(event, paintable) {
    const { editing } = this.browser;
    if (event.button || !paintable || !editing.ready) return;
    event.preventDefault();
    event.currentTarget.focus({ preventScroll: true });
    event.currentTarget.setPointerCapture(event.pointerId);
    editing.begin(this.cellAt(event));
  }

  click(event) {
    if (!this.browser.editing.painting) this.browser.pin(this.browser.codeOf(this.cellAt(event)));
  }

  key(event, paintable) {
    const { browser } = this, { book, editing } = browser, move = MOVES[event.key];
    if (move) {
      const cell = browser.cell ?? 0, first = browser.cell === null;
      const c = clampTo((cell % book.columns) + (first ? 0 : move[0]), 0, book.columns - 1);
      const r = clampTo(Math.floor(cell / book.columns) + (first ? 0 : move[1]), 0, book.rows - 1);
      browser.pointCell(r * book.columns + c, !editing.painting, true);
    } else if ((event.key === "Enter" || event.key === " ") && browser.cell !== null) {
      if (editing.ready && paintable) {
        editing.begin(browser.cell);
        editing.end();
      } else if (!editing.painting) browser.pin(browser.codeOf(browser.cell));
    } else return;
    event.preventDefault();
  }

  drawBase() {
    const { browser, parts: [original, map, decoded] } = this, { book, image, editing } = browser;
    this.picture(original, (pen, w, h) => book.images.draw(pen, image, 0, 0, w, h));
    this.picture(map, (pen, w, h) => this.drawMap(pen, w, h));
    this.picture(decoded, (pen, w, h) => editing.drawPicture(pen, image, 0, 0, w, h));
    const { width, height } = map, pen = map.base.getContext("2d");
    this.grid(pen, width, height);
  }

  picture(layers, draw) {
    const pen = layers.pen("base");
    pen.imageSmoothingEnabled = layers.width * layers.ratio < this.browser.book.images.width;
    draw(pen, layers.width, layers.height);
  }

  drawMap(pen, width, height) {
    const { browser, view } = this, { book, image } = browser, w = width / book.columns, h = height / book.rows;
    const colours = ramp("viridis"), levels = view === "tiles" ? null : this.levels();
    for (let cell = 0; cell < book.cells; cell++) {
      const x = (cell % book.columns) * w, y = Math.floor(cell / book.columns) * h, code = browser.codeOf(cell);
      if (levels) {
        pen.fillStyle = css(colours[Math.round(levels[cell] * (colours.length - 1))]);
        pen.fillRect(x, y, w, h);
        continue;
      }
      pen.globalAlpha = browser.editing.dropped.has(code) ? 0.25 : 1; // until Python says what takes its place
      book.tiles.draw(pen, code, x, y, w, h);
      pen.globalAlpha = 1;
    }
  }

  /** Of this image's cells, from 0 to the largest: the distance to the code, or how much farther the second one is. */
  levels() {
    const { book, image } = this.browser, from = image * book.cells;
    const values = Array.from({ length: book.cells }, (_, k) =>
      this.view === "distance" ? book.first[from + k] : book.second[from + k] - book.first[from + k]);
    const most = Math.max(...values) || 1;
    return values.map((value) => clampTo(value / most, 0, 1));
  }

  grid(pen, width, height) {
    const { book, look } = this.browser;
    if (width / book.columns < 5) return;
    pen.fillStyle = look.gridLine;
    for (let c = 1; c < book.columns; c++) pen.fillRect(Math.round((c * width) / book.columns) - 0.5, 0, 1, height);
    for (let r = 1; r < book.rows; r++) pen.fillRect(0, Math.round((r * height) / book.rows) - 0.5, width, 1);
  }

  drawOver() {
    const { browser } = this, { book, code, cell, image, places, look } = browser;
    const lit = code === null ? [] : [...places.of(code)].filter((at) => Math.floor(at / book.cells) === image).map((at) => at % book.cells);
    for (const layers of this.parts) {
      const pen = layers.pen("over"), painting = browser.editing.painting, w = layers.width / book.columns, h = layers.height / book.rows;
      const box = (k) => [(k % book.columns) * w, Math.floor(k / book.columns) * h, w, h];
      if (code !== null && !painting) {
        pen.fillStyle = look.veilThin;
        pen.fillRect(0, 0, layers.width, layers.height);
        for (const k of lit) pen.clearRect(...box(k));
      }
      pen.lineWidth = 1.5;
      pen.strokeStyle = look.latent;
      for (const k of painting && layers !== this.parts[1] ? [] : lit) {
        const [x, y] = box(k);
        pen.strokeRect(x + 0.75, y + 0.75, w - 1.5, h - 1.5);
      }
      if (cell !== null) frame(pen, ...box(cell).map((v, i) => (i < 2 ? v + 2 : v - 4)), look.ink, 2, look.paper);
    }
    this.find("title").textContent = `Image ${image}`;
    this.find("map-name").textContent = CAPTIONS[this.view];
  }
}
