// How often each code is chosen, from the most to the least chosen, with the line that equal use would be.

import { clampTo, count, Layers } from "./draw.js";

/** A few round numbers from 0 to `most`: powers of ten on a logarithmic scale, else one step and its multiples. */
export function ticksTo(most, log) {
  if (log) return [0, ...Array.from({ length: 8 }, (_, k) => 10 ** k).filter((t) => t <= most)];
  const power = 10 ** Math.floor(Math.log10(Math.max(most, 1))), step = [0.5, 1, 2, 5].find((m) => most / (m * power) <= 4) * power;
  return Array.from({ length: Math.floor(most / step) + 1 }, (_, k) => k * step).filter(Number.isInteger);
}

export class Usage {
  constructor(element, browser) {
    this.browser = browser;
    this.layers = new Layers(element);
    const { over } = this.layers;
    over.addEventListener("pointermove", (event) => browser.point(this.at(event)));
    over.addEventListener("pointerleave", () => browser.point(null));
    over.addEventListener("click", (event) => browser.pin(this.at(event)));
    over.addEventListener("blur", () => browser.point(null));
    over.addEventListener("keydown", (event) => this.key(event));
  }

  layout(room, height) {
    const { book, look } = this.browser, most = Math.max(...book.usage);
    this.ticks = ticksTo(most, this.browser.log);
    const digits = Math.max(...this.ticks.map((t) => count(t).length));
    this.left = Math.ceil(digits * look.size * 0.6) + 8;
    this.bottom = height - look.size - 10;
    this.top = look.size + 10;
    this.layers.fit(room, height);
    this.step = (room - this.left - 1) / book.codes;
  }

  scaled(usage) { return this.browser.log ? Math.log1p(usage) : usage; }

  y(usage) {
    const most = this.scaled(this.browser.book.usage[this.browser.book.byUsage[0]]) || 1;
    return this.bottom - (this.scaled(usage) / most) * (this.bottom - this.top);
  }

  at(event) {
    const { book } = this.browser, rank = Math.floor((this.layers.place(event)[0] - this.left) / this.step);
    return rank >= 0 && rank < book.codes ? book.byUsage[rank] : null;
  }

  key(event) {
    const { browser } = this, { book } = browser, by = { ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1, ArrowDown: 1 }[event.key];
    if (event.key === "Enter" || event.key === " ") browser.pin(browser.code);
    else if (by) {
      const rank = browser.code === null ? 0 : clampTo(book.ranks[browser.code] + by, 0, book.codes - 1);
      browser.point(book.byUsage[rank], true);
    } else return;
    event.preventDefault();
  }

  bar(pen, rank, colour, least = 0) {
    const { book } = this.browser, usage = book.usage[book.byUsage[rank]], top = this.y(usage);
    const width = Math.max(this.step - (this.step > 4 ? 1 : 0), least), x = this.left + (rank + 0.5) * this.step - width / 2;
    pen.fillStyle = colour;
    pen.fillRect(x, top, width, this.bottom - top);
  }

  drawBase() {
    const { book, look } = this.browser, { left, bottom, layers } = this, pen = layers.pen("base");
    pen.font = look.small;
    pen.textBaseline = "middle";
    for (const tick of this.ticks) {
      pen.fillStyle = look.line;
      pen.fillRect(left, Math.round(this.y(tick)), layers.width - left, 1);
      pen.fillStyle = look.faint;
      pen.textAlign = "right";
      pen.fillText(count(tick), left - 6, this.y(tick));
    }
    for (let rank = 0; rank < book.codes - book.dead; rank++) this.bar(pen, rank, look.bars);
    this.uniform(pen);
    pen.textBaseline = "top";
    pen.textAlign = "left";
    pen.fillStyle = look.faint;
    pen.fillText("codes, most chosen first", left, bottom + 6);
    if (!book.dead) return;
    const from = left + (book.codes - book.dead) * this.step;
    pen.fillStyle = look.bad;
    pen.fillRect(from, bottom - 3, layers.width - from, 3);
    pen.textAlign = "right";
    pen.fillText(`${count(book.dead)} dead`, layers.width, bottom + 6);
  }

  uniform(pen) {
    const { book, look } = this.browser, even = book.sum / book.codes, y = this.y(even);
    pen.setLineDash([5, 4]);
    pen.strokeStyle = look.ink;
    pen.lineWidth = 1.2;
    pen.beginPath();
    pen.moveTo(this.left, y);
    pen.lineTo(this.layers.width, y);
    pen.stroke();
    pen.setLineDash([]);
    pen.textAlign = "right";
    pen.textBaseline = "bottom";
    pen.fillStyle = look.ink;
    pen.fillText("equal use", this.layers.width, y - 3);
  }

  drawOver() {
    const { book, code, pinned, look } = this.browser, pen = this.layers.pen("over");
    if (pinned.code !== null && pinned.code !== code) this.bar(pen, book.ranks[pinned.code], look.ink, 2);
    if (code === null) return;
    const rank = book.ranks[code], x = this.left + (rank + 0.5) * this.step, top = this.y(book.usage[code]);
    this.bar(pen, rank, look.latent, 3);
    pen.beginPath();
    pen.moveTo(x, top - 2);
    pen.lineTo(x - 4.5, top - 9);
    pen.lineTo(x + 4.5, top - 9);
    pen.fill();
    const text = count(book.usage[code]);
    pen.font = look.strong;
    const half = pen.measureText(text).width / 2, at = clampTo(x, this.left + half, this.layers.width - half);
    pen.textAlign = "center";
    pen.textBaseline = "bottom";
    pen.lineWidth = 4;
    pen.lineJoin = "round";
    pen.strokeStyle = look.paper;
    const y = Math.max(top - 10, look.size);
    pen.strokeText(text, at, y);
    pen.fillText(text, at, y);
  }
}
