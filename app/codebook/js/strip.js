// The images: small, all at once, with the cells lit in which the code pointed at fires.

import { frame, Layers } from "./draw.js";

const SIZES = { largest: 104, least: 18 }; // an image's width, CSS pixels

export class Strip {
  constructor(element, browser) {
    this.browser = browser;
    this.layers = new Layers(element);
    this.shows = "images";
    const { over } = this.layers;
    over.addEventListener("pointermove", (event) => browser.lookAt(this.at(event)));
    over.addEventListener("pointerleave", () => browser.lookAt(null));
    over.addEventListener("click", (event) => browser.pinImage(this.at(event)));
    over.addEventListener("keydown", (event) => this.key(event));
  }

  layout(room, most) {
    const { book } = this.browser, gap = 4, ratio = book.images.height / book.images.width;
    for (let width = SIZES.largest; ; width--) {
      const columns = Math.min(book.shown, Math.floor((room + gap) / (width + gap))), height = Math.round(width * ratio);
      const rows = Math.ceil(book.shown / Math.max(columns, 1));
      if (width > SIZES.least && (columns < 1 || rows * (height + gap) - gap > most)) continue;
      this.grid = { columns: Math.max(columns, 1), rows, width, height, gap };
      break;
    }
    const { columns, rows, width, height } = this.grid;
    this.layers.fit(columns * (width + gap) - gap + 6, rows * (height + gap) - gap + 6);
  }

  corner(image) {
    const { columns, width, height, gap } = this.grid;
    return [3 + (image % columns) * (width + gap), 3 + Math.floor(image / columns) * (height + gap)];
  }

  at(event) {
    const { columns, width, height, gap } = this.grid, [x, y] = this.layers.place(event);
    const c = Math.floor((x - 3 + gap / 2) / (width + gap)), r = Math.floor((y - 3 + gap / 2) / (height + gap));
    const image = r * columns + c;
    return c >= 0 && c < columns && image >= 0 && image < this.browser.book.shown ? image : null;
  }

  key(event) {
    const { browser, grid } = this;
    const by = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: grid.columns, ArrowUp: -grid.columns }[event.key];
    const to = browser.image + (by ?? 0);
    if (event.key === "Enter" || event.key === " ") browser.pinImage(browser.image);
    else if (!by) return;
    else if (to >= 0 && to < browser.book.shown) browser.lookAt(to, true);
    event.preventDefault();
  }

  drawBase() {
    const { browser, grid: { width, height } } = this, pen = this.layers.pen("base");
    pen.imageSmoothingEnabled = width < browser.book.images.width;
    pen.imageSmoothingQuality = "high";
    for (let image = 0; image < browser.book.shown; image++)
      if (this.shows === "images") browser.book.images.draw(pen, image, ...this.corner(image), width, height);
      else browser.editing.drawPicture(pen, image, ...this.corner(image), width, height);
  }

  drawOver() {
    const { browser, grid: { width, height } } = this, { book, code, look } = browser, pen = this.layers.pen("over");
    if (code !== null) {
      const cell = [width / book.columns, height / book.rows], lit = [];
      pen.fillStyle = look.veil;
      for (let image = 0; image < book.shown; image++) pen.fillRect(...this.corner(image), width, height);
      for (const at of browser.places.of(code)) {
        const image = Math.floor(at / book.cells), k = at % book.cells;
        if (image >= book.shown) break; // entries are in order
        const [x, y] = this.corner(image);
        lit.push([x + (k % book.columns) * cell[0], y + Math.floor(k / book.columns) * cell[1]]);
      }
      for (const [x, y] of lit) pen.clearRect(x, y, ...cell);
      pen.strokeStyle = look.latent;
      pen.lineWidth = cell[0] > 5 ? 1.5 : 1;
      for (const [x, y] of lit) pen.strokeRect(x + 0.5, y + 0.5, cell[0] - 1, cell[1] - 1);
    }
    frame(pen, ...this.corner(browser.image), width, height, look.ink, browser.pinned.image === browser.image ? 2 : 1, look.paper);
  }
}
