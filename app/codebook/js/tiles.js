// Every code as a tile, in a grid: sorted, pointed at, pinned.

import { sliced } from "./book.js";
import { clampTo, frame, Layers } from "./draw.js";

const LARGEST = 96, SMALLEST = 5; // edge of a tile, CSS pixels
const LENS = { share: 1.9, least: 34, most: 84 };

/** Columns, rows, edge and gap of the largest tiles that fit, in rows as even as can be. */
export function tiling(codes, room, most) {
  for (let edge = LARGEST; ; edge--) {
    const gap = edge >= 14 ? 2 : 1, columns = Math.min(codes, Math.floor((room + gap) / (edge + gap)));
    const rows = Math.ceil(codes / Math.max(columns, 1));
    if (edge <= SMALLEST || (columns > 0 && rows * (edge + gap) - gap <= most))
      return even({ codes, rows, edge, gap });
  }
}

/** As many columns as the rows need, and no row too many. */
function even({ codes, rows, edge, gap }) {
  const columns = Math.ceil(codes / rows);
  return { columns, rows: Math.ceil(codes / columns), edge, gap };
}

export class Tiles {
  constructor(element, browser) {
    this.browser = browser;
    this.layers = new Layers(element);
    const { over } = this.layers;
    over.addEventListener("pointermove", (event) => browser.point(this.at(event)));
    over.addEventListener("pointerleave", () => browser.point(null));
    over.addEventListener("click", (event) => browser.pin(this.at(event)));
    over.addEventListener("keydown", (event) => this.key(event));
    over.addEventListener("blur", () => browser.point(null));
  }

  layout(room, most) {
    this.grid = tiling(this.browser.book.codes, room, most);
    const { columns, rows, edge, gap } = this.grid;
    this.inset = 3; // so that a frame at the edge is whole
    this.layers.fit(columns * (edge + gap) - gap + 2 * this.inset, rows * (edge + gap) - gap + 2 * this.inset);
    this.arrange();
  }

  arrange() {
    const { book, sort } = this.browser, { columns } = this.grid;
    this.slots = { usage: book.byUsage, similarity: book.similarity }[sort] ?? sliced(book.positions, columns);
    this.slotOf = new Int32Array(book.codes);
    this.slots.forEach((code, slot) => code >= 0 && (this.slotOf[code] = slot));
  }

  corner(slot) {
    const { columns, edge, gap } = this.grid;
    return [this.inset + (slot % columns) * (edge + gap), this.inset + Math.floor(slot / columns) * (edge + gap)];
  }

  at(event) {
    const { columns, edge, gap } = this.grid, step = edge + gap;
    const [c, r] = this.layers.place(event).map((v) => Math.floor((v - this.inset + gap / 2) / step));
    const code = c >= 0 && c < columns ? this.slots[r * columns + c] : undefined;
    return code === undefined || code < 0 ? null : code;
  }

  key(event) {
    const { browser, slots, grid } = this;
    const by = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: grid.columns, ArrowUp: -grid.columns }[event.key];
    if (event.key === "Enter" || event.key === " ") browser.pin(browser.code);
    else if (event.key === "Home") browser.point(slots[0], true);
    else if (event.key === "End") browser.point(slots[slots.findLastIndex((code) => code >= 0)], true);
    else if (by) {
      const from = browser.code === null ? -1 : this.slotOf[browser.code], to = from < 0 ? 0 : from + by;
      if (slots[to] >= 0) browser.point(slots[to], true);
    } else return;
    event.preventDefault();
  }

  drawBase() {
    const { book, editing, look } = this.browser, { edge } = this.grid, pen = this.layers.pen("base");
    pen.imageSmoothingEnabled = edge < book.tiles.width;
    for (let code = 0; code < book.codes; code++) {
      const [x, y] = this.corner(this.slotOf[code]), dropped = editing.dropped.has(code);
      pen.globalAlpha = dropped || !book.usage[code] ? 0.35 : 1;
      book.tiles.draw(pen, code, x, y, edge, edge);
      pen.globalAlpha = 1;
      if (dropped || !book.usage[code]) this.strike(pen, x, y, dropped ? look.bad : look.ink, dropped);
    }
  }

  /** A dead code has one diagonal, a dropped one two. */
  strike(pen, x, y, colour, both) {
    const { edge } = this.grid;
    pen.strokeStyle = colour;
    pen.lineWidth = edge > 20 ? 1.5 : 1;
    pen.strokeRect(x + 0.5, y + 0.5, edge - 1, edge - 1);
    pen.beginPath();
    pen.moveTo(x + 1, y + edge - 1);
    pen.lineTo(x + edge - 1, y + 1);
    if (both) {
      pen.moveTo(x + 1, y + 1);
      pen.lineTo(x + edge - 1, y + edge - 1);
    }
    pen.stroke();
  }

  drawOver() {
    const { book, code, pinned, look } = this.browser, { edge } = this.grid, pen = this.layers.pen("over");
    if (code !== null)
      for (const other of book.neighboursOf(code)) frame(pen, ...this.corner(this.slotOf[other]), edge, edge, look.latent, 1.2, look.paper);
    if (pinned.code !== null) frame(pen, ...this.corner(this.slotOf[pinned.code]), edge, edge, look.ink, 2, look.paper);
    if (code === null) return;
    const size = Math.max(edge, Math.round(clampTo(LENS.share * edge, LENS.least, LENS.most)));
    const [x, y] = this.corner(this.slotOf[code]).map((v) => v + (edge - size) / 2);
    const left = clampTo(x, 3, this.layers.width - size - 3), top = clampTo(y, 3, this.layers.height - size - 3);
    pen.shadowColor = "rgb(0 0 0 / .45)";
    pen.shadowBlur = 10;
    pen.fillStyle = look.paper;
    pen.fillRect(left, top, size, size);
    pen.shadowColor = "transparent";
    book.tiles.draw(pen, code, left, top, size, size);
    frame(pen, left, top, size, size, look.latent, 2, look.paper);
  }
}
