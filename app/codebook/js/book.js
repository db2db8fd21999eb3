// A codebook as the browser holds it: its arrays, its pictures, and who chose what.

import { Atlas, toWords } from "./draw.js";
import { gunzip, unpack } from "./unpack.js";

/** Which entries of a list hold each of `count` values: a counting sort. */
export class Index {
  constructor(values, count) {
    this.starts = new Uint32Array(count + 1);
    for (const value of values) this.starts[value + 1]++;
    for (let k = 0; k < count; k++) this.starts[k + 1] += this.starts[k];
    this.entries = new Uint32Array(values.length);
    const next = this.starts.slice();
    for (let i = 0; i < values.length; i++) this.entries[next[values[i]]++] = i;
  }

  of(value) { return this.entries.subarray(this.starts[value], this.starts[value + 1]); }
}

/** Columns of codes from left to right in the projection, each from top to bottom; ragged only at their lower ends. */
export function sliced(positions, columns) {
  const count = positions.length / 2, codes = Array.from({ length: count }, (_, k) => k);
  codes.sort((a, b) => positions[2 * a] - positions[2 * b]);
  const slots = new Int32Array(Math.ceil(count / columns) * columns).fill(-1);
  const rows = Math.floor(count / columns), long = count % columns;
  for (let c = 0, from = 0; c < columns; c++) {
    const size = rows + (c < long ? 1 : 0), column = codes.slice(from, from + size);
    column.sort((a, b) => positions[2 * b + 1] - positions[2 * a + 1]);
    column.forEach((code, row) => (slots[row * columns + c] = code));
    from += size;
  }
  return slots;
}

/** The pictures that the code maps' places stand for: cut out of the images, or sent beside them. */
class Crops {
  constructor(book, arrays, colour) {
    this.book = book;
    const shape = arrays.crops?.shape;
    this.atlas = shape ? new Atlas(toWords(arrays.crops.data, colour), shape[2], shape[3]) : null;
  }

  /** What of code k can be shown: [{ image, cell, entry }]. */
  of(code) {
    const { book } = this, most = book.patches.shape[1], out = [];
    for (let entry = code * most; entry < (code + 1) * most; entry++) {
      const at = book.patches.data[entry], image = Math.floor(at / book.cells);
      if (at >= 0 && (this.atlas || image < book.shown)) out.push({ image, cell: at % book.cells, entry });
    }
    return out;
  }

  draw(pen, { image, cell, entry }, x, y, w, h) {
    if (this.atlas) this.atlas.draw(pen, entry, x, y, w, h);
    else this.book.images.crop(pen, image, this.book.box(cell), x, y, w, h);
  }
}

export class Book {
  constructor({ meta, arrays }) {
    const picture = ({ data, shape }) => new Atlas(toWords(data, meta.colour), shape[1], shape[2]);
    Object.assign(this, meta, { tiles: picture(arrays.tiles), images: picture(arrays.images),
      reconstructions: picture(arrays.reconstructions), usage: arrays.usage.data, positions: arrays.positions.data,
      outputs: arrays.outputs.data, maps: arrays.maps.data, neighbours: arrays.neighbours, patches: arrays.patches,
      first: arrays.first.data, second: arrays.second.data, history: arrays.history, steps: arrays.steps?.data,
      similarity: arrays.similarity.data });
    this.codes = this.tiles.count;
    this.shown = this.images.count;
    [this.total, this.rows, this.columns] = arrays.maps.shape;
    this.cells = this.rows * this.columns;
    this.owned = new Index(arrays.owner.data, this.codes);
    this.crops = new Crops(this, arrays, meta.colour);
    this.means = this.tiles.means();
    this.rank();
  }

  rank() {
    const { usage, codes } = this;
    this.byUsage = Int32Array.from({ length: codes }, (_, k) => k).sort((a, b) => usage[b] - usage[a] || a - b);
    this.ranks = new Int32Array(codes);
    this.byUsage.forEach((code, rank) => (this.ranks[code] = rank));
    this.sum = usage.reduce((a, b) => a + b, 0);
    this.dead = usage.reduce((n, u) => n + (u === 0), 0);
  }

  share(code) { return this.sum ? this.usage[code] / this.sum : 0; }

  /** The pixels of a cell: [left, top, width, height]. */
  box(cell) {
    const width = this.images.width / this.columns, height = this.images.height / this.rows;
    return [(cell % this.columns) * width, Math.floor(cell / this.columns) * height, width, height];
  }

  neighboursOf(code) {
    const most = this.neighbours.shape[1];
    return [...this.neighbours.data.subarray(code * most, (code + 1) * most)].filter((other) => other >= 0);
  }
}

export const readBook = async (bytes) => new Book(unpack(await gunzip(bytes)));
