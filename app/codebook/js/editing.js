// Edits of the code maps: painted here at once, decoded by Python a moment later.

import { Atlas, toWords } from "./draw.js";

const EVERY = 100; // ms between two messages while a stroke goes on
const MOST = 400; // edits, as in events.py

const normal = ({ kind, codes, image, cells }) => ({ kind, codes: [...codes], image: image ?? null, cells: [...(cells ?? [])] });
const same = (a, b) => JSON.stringify(normal(a)) === JSON.stringify(normal(b));

export class Editing {
  constructor(browser) {
    this.browser = browser;
    this.number = 0; // of the messages sent
    this.painting = false;
    this.swapping = false;
    this.stroke = null; // the edit that a stroke adds to
  }

  /** Another codebook: nothing is edited, unless Python says so. */
  restart(book) {
    Object.assign(this, { book, edits: [], settled: { edits: [], maps: null }, stroke: null, swapping: false });
    this.originals = book.maps.slice(0, book.shown * book.cells);
    this.decoded = new Map(); // image → its place in `pictures`
    this.pictures = null;
    this.decodedMaps = this.originals.slice(); // what the pictures were made from
    this.rebuild();
  }

  /** Whether a press paints. */
  get ready() { return this.painting && !this.swapping && this.brush !== null && this.edits.length < MOST; }

  get brush() {
    const { code } = this.browser.pinned;
    return code === null || this.dropped.has(code) ? null : code;
  }

  // What the maps are now

  /** From what Python has settled, or from the model's maps, through the edits since. */
  rebuild() {
    const { settled } = this, known = settled.maps && settled.edits.length <= this.edits.length
      && settled.edits.every((edit, k) => same(edit, this.edits[k]));
    const maps = (known ? settled.maps : this.originals).slice();
    for (const edit of this.edits.slice(known ? settled.edits.length : 0)) this.apply(maps, edit);
    this.dropped = new Set(this.edits.filter((edit) => edit.kind === "drop").map((edit) => edit.codes[0]));
    this.maps = maps;
  }

  /** A dropped code's cells wait for Python, which knows the distances. */
  apply(maps, { kind, codes, image, cells }) {
    if (kind === "paint") for (const cell of cells) maps[image * this.book.cells + cell] = codes[0];
    if (kind === "swap")
      for (let i = 0; i < maps.length; i++)
        if (maps[i] === codes[0]) maps[i] = codes[1];
        else if (maps[i] === codes[1]) maps[i] = codes[0];
  }

  /** An image as decoded; cells that changed since then are covered by their tiles. */
  drawPicture(pen, image, x, y, width, height) {
    const { book, decoded, maps, decodedMaps } = this, w = width / book.columns, h = height / book.rows;
    if (decoded.has(image)) this.pictures.draw(pen, decoded.get(image), x, y, width, height);
    else book.reconstructions.draw(pen, image, x, y, width, height);
    for (let cell = 0, at = image * book.cells; cell < book.cells; cell++, at++)
      if (maps[at] !== decodedMaps[at])
        book.tiles.draw(pen, maps[at], x + (cell % book.columns) * w, y + Math.floor(cell / book.columns) * h, w, h);
  }

  // From Python

  /** `answer` { number, edits } and the maps and pictures of the images that differ; `anew`: the codebook is new here. */
  receive(answer, { changed, changed_maps: maps, changed_pictures: pictures }, anew) {
    if (!answer || answer.number > this.number && !anew && this.number > 0) return;
    if (anew || !this.number) {
      this.edits = answer.edits.map(normal);
      this.number = Math.max(this.number, answer.number);
    }
    const { book } = this;
    this.decoded = new Map([...changed.data].map((image, k) => [image, k]));
    if (changed.data.length) this.pictures = new Atlas(toWords(pictures.data, book.colour), book.images.height, book.images.width);
    this.decodedMaps = this.originals.slice();
    changed.data.forEach((image, k) =>
      this.decodedMaps.set(maps.data.subarray(k * book.cells, (k + 1) * book.cells), image * book.cells));
    this.settled = { edits: answer.edits.map(normal), maps: this.decodedMaps };
    this.rebuild();
  }

  // From the user

  begin(cell) {
    this.stroke = { kind: "paint", codes: [this.brush], image: this.browser.image, cells: [] };
    this.last = cell;
    this.sent = 0;
    this.edits.push(this.stroke);
    this.paint([cell]);
  }

  paint(cells) {
    this.last = cells.at(-1);
    const fresh = [...new Set(cells)].filter((cell) => !this.stroke.cells.includes(cell));
    if (!fresh.length) return;
    this.stroke.cells.push(...fresh);
    this.told = false; // whether Python knows all of the stroke
    this.changed();
    const now = performance.now();
    if (now - this.sent < EVERY) return;
    this.sent = now;
    this.send("paint");
  }

  end() {
    if (!this.stroke) return;
    this.stroke = null;
    if (!this.told) this.send("paint");
    this.browser.say(`Painted with code ${this.edits.at(-1).codes[0]}`);
  }

  add(edit, words) {
    if (this.edits.length >= MOST) return;
    this.edits.push(normal(edit));
    this.swapping = false;
    this.changed();
    this.send(edit.kind);
    this.browser.say(words);
  }

  swap(one, other) { this.add({ kind: "swap", codes: [one, other] }, `Codes ${one} and ${other} are swapped in every image`); }

  drop(code) { this.add({ kind: "drop", codes: [code] }, `Code ${code} is dropped; its cells take the nearest code that is left`); }

  undo() {
    if (!this.edits.length) return;
    this.edits.pop();
    this.changed();
    this.send("undo");
    this.browser.say("Undone");
  }

  reset() {
    this.edits = [];
    this.changed();
    this.send("reset");
    this.browser.say("All edits are undone");
  }

  changed() {
    this.rebuild();
    this.browser.edited();
  }

  send(kind) {
    const { browser } = this;
    this.told = true;
    browser.root.dataset.sent = String(this.number + 1);
    browser.send("edit", { digest: browser.options.digest, n: ++this.number, kind, image: browser.image, edits: this.edits.map(normal) });
  }
}
