// One cell of a board: its title, its picture below what the pointer lights up, and its caption.

import { frame, Layers } from "./draw.js";

const OVER = 0.62; // how much of a code's colour lies over the image

function element(name, kind, parent) {
  const made = document.createElement(kind);
  made.className = name;
  parent.append(made);
  return made;
}

export class CellView {
  constructor(parent, told, board) {
    Object.assign(this, { told, board });
    this.root = element("cell", "figure", parent);
    Object.assign(this.root.style, { gridRow: told.row + 1, gridColumn: told.column + 1 });
    this.title = element("cell-title", "figcaption", this.root);
    this.title.textContent = this.title.title = told.title;
    const both = element("layers-two", "div", this.root);
    for (const name of ["base", "over"]) element(name, "canvas", both);
    this.layers = new Layers(both);
    this.caption = element("caption", "p", this.root);
    this.caption.hidden = !told.captions.length;
    this.title.hidden = !told.title;
    const { over } = this.layers;
    over.addEventListener("pointermove", (event) => board.pointing.move(event, this));
    over.addEventListener("pointerdown", (event) => board.pointing.move(event, this));
    over.addEventListener("pointerleave", () => board.pointing.leave());
  }

  get source() {
    const { told: { kind, source }, board: { view } } = this;
    return kind === "picture" ? view.pictures[source] : kind === "codes" ? view.maps[source] : view.law;
  }

  fit(width, height) {
    this.layers.fit(width, height);
    this.root.style.width = `${width}px`;
  }

  /** Where a pointer is, as shares of width and height. */
  place(event) {
    const [x, y] = this.layers.place(event);
    return [x / this.layers.width, y / this.layers.height];
  }

  draw(item) {
    const { layers: { width, height }, told, board } = this, pen = this.layers.pen("base"), { look, mode, view } = board;
    this.caption.textContent = told.captions[Math.min(item, told.captions.length - 1)] ?? "";
    const over = told.kind === "codes" && mode === "over" && view.under !== null;
    if (over) {
      view.pictures[view.under].draw(pen, item, width, height);
      pen.globalAlpha = OVER;
    }
    this.source.draw(pen, item, width, height, look);
    pen.globalAlpha = 1;
    if (told.kind === "codes" && mode === "numbers") this.source.number(pen, item, width, height, look.family);
  }

  /** What the pointer lights up: [box, colour, thickness] from back to front. */
  light(marks) {
    const pen = this.layers.pen("over"), { look } = this.board;
    for (const [[x, y, w, h], colour, width] of marks)
      frame(pen, x + width, y + width, Math.max(w - 2 * width, 2), Math.max(h - 2 * width, 2), colour, width, look.paper);
  }
}
