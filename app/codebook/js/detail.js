// One code in full: its tile, numbers, neighbours, the patches that chose it, and its usage over the training.

import { count, sketch } from "./draw.js";

const CROP = { edge: 30, gap: 3 }, FACE = 72, SPARK = 46; // CSS pixels

const percent = (share) => `${(100 * share).toFixed(share < 0.0995 ? 2 : 1)} %`;

export class Detail {
  constructor(element, browser) {
    this.browser = browser;
    this.find = (name) => element.querySelector(`.${name}`);
    this.element = element;
    const gallery = this.find("gallery");
    gallery.addEventListener("pointermove", (event) => this.move(event));
    gallery.addEventListener("pointerleave", () => browser.pointCell(null));
    gallery.addEventListener("click", (event) => this.cropAt(event) && browser.pinImage(this.cropAt(event).image));
  }

  layout() {
    const { book, look } = this.browser;
    this.room = this.element.clientWidth;
    this.edge = Math.round(CROP.edge * look.scale);
    this.per = Math.max(1, Math.floor((this.room + CROP.gap) / (this.edge + CROP.gap)));
    this.rows = Math.min(3, Math.ceil(book.patches.shape[1] / this.per));
    this.find("training").hidden = !book.history;
    if (book.history) this.find("span").textContent = `steps ${count(book.steps[0])} to ${count(book.steps.at(-1))}; dashed: equal use`;
    this.shown = undefined;
    this.clear();
    const row = this.find("neighbours"), wanted = book.neighbours.shape[1];
    if (row.childElementCount !== wanted) row.replaceChildren(...Array.from({ length: wanted }, () => this.neighbour()));
  }

  /** Empty canvases of the sizes that they will have, so that nothing moves when a code is first pointed at. */
  clear() {
    const { scale } = this.browser.look, step = this.edge + CROP.gap;
    sketch(this.find("face"), FACE * scale, FACE * scale);
    sketch(this.find("gallery"), this.per * step - CROP.gap, this.rows * step - CROP.gap);
    sketch(this.find("spark"), this.room, SPARK * scale);
  }

  neighbour() {
    const button = document.createElement("button");
    button.type = "button";
    button.append(document.createElement("canvas"));
    sketch(button.firstChild, 26 * this.browser.look.scale, 26 * this.browser.look.scale);
    button.addEventListener("click", () => this.browser.pin(Number(button.dataset.code)));
    return button;
  }

  draw() {
    const { book, code, look } = this.browser, key = `${code} ${look.key} ${this.browser.pinned.code}`;
    if (this.shown === key) return;
    this.shown = key;
    this.element.dataset.code = code ?? "";
    this.find("about").style.visibility = code === null ? "hidden" : "visible";
    this.find("invite").hidden = code !== null;
    if (code === null) return;
    const side = FACE * look.scale;
    book.tiles.draw(sketch(this.find("face"), side, side), code, 0, 0, side, side);
    this.find("name").textContent = `Code ${code}`;
    this.find("pinned").hidden = this.browser.pinned.code !== code;
    this.find("numbers").textContent = book.usage[code]
      ? `chosen ${count(book.usage[code])} times, ${percent(book.share(code))}; rank ${count(book.ranks[code] + 1)} of ${count(book.codes)}`
      : "never chosen: a dead code";
    this.drawNeighbours(code);
    this.drawGallery(code);
    if (book.history) this.drawHistory(code);
  }

  drawNeighbours(code) {
    const { book, look } = this.browser, others = book.neighboursOf(code), side = 26 * look.scale;
    [...this.find("neighbours").children].forEach((button, k) => {
      button.style.visibility = k < others.length ? "" : "hidden";
      if (k >= others.length) return;
      button.dataset.code = others[k];
      button.title = `Code ${others[k]}`;
      button.setAttribute("aria-label", `Neighbour ${k + 1}: code ${others[k]}. Pin it.`);
      book.tiles.draw(sketch(button.firstChild, side, side), others[k], 0, 0, side, side);
    });
  }

  drawGallery(code) {
    const { book } = this.browser, { edge } = this, step = edge + CROP.gap;
    const pen = sketch(this.find("gallery"), this.per * step - CROP.gap, this.rows * step - CROP.gap);
    this.crops = book.crops.of(code).slice(0, this.per * this.rows);
    this.crops.forEach((crop, k) => book.crops.draw(pen, crop, (k % this.per) * step, Math.floor(k / this.per) * step, edge, edge));
    this.find("nothing").hidden = this.crops.length > 0;
  }

  cropAt(event) {
    const box = event.currentTarget.getBoundingClientRect(), step = this.edge + CROP.gap;
    const c = Math.floor((event.clientX - box.left) / step), r = Math.floor((event.clientY - box.top) / step);
    const crop = this.crops?.[r * this.per + c];
    return c < this.per && crop && crop.image < this.browser.book.shown ? crop : null;
  }

  /** Pointing at a patch shows where it lies. */
  move(event) {
    const crop = this.cropAt(event);
    if (crop) this.browser.lookAt(crop.image, true);
    this.browser.pointCell(crop ? crop.cell : null, false);
  }

  /** Its share of all codes at each step; the tick is what equal use would be. */
  drawHistory(code) {
    const { book, look } = this.browser, { data, shape: [times, codes] } = book.history, width = this.room, height = SPARK * look.scale;
    const shares = Array.from({ length: times }, (_, t) => {
      let sum = 0;
      for (let k = t * codes; k < (t + 1) * codes; k++) sum += data[k];
      return sum ? data[t * codes + code] / sum : 0;
    });
    const pen = sketch(this.find("spark"), width, height), most = Math.max(...shares, 2 / codes);
    const x = (t) => 3 + (t / Math.max(times - 1, 1)) * (width - 6), y = (share) => height - 3 - (share / most) * (height - 8);
    pen.strokeStyle = look.faint;
    pen.setLineDash([4, 4]);
    pen.beginPath();
    pen.moveTo(0, y(1 / codes));
    pen.lineTo(width, y(1 / codes));
    pen.stroke();
    pen.setLineDash([]);
    pen.strokeStyle = look.latent;
    pen.lineWidth = 2 * look.scale;
    pen.lineJoin = "round";
    pen.beginPath();
    shares.forEach((share, t) => pen.lineTo(x(t), y(share)));
    pen.stroke();
    pen.fillStyle = look.latent;
    pen.beginPath();
    pen.arc(x(times - 1), y(shares[times - 1]), 3 * look.scale, 0, 7);
    pen.fill();
  }
}
