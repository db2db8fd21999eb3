// What a board is made of: pictures of all items, code maps with their level's colours, and laws of codes.

import { Atlas, toWords } from "./draw.js";

const NOTHING = 0x28808080; // where there is no code yet, a veil of grey

/** One picture of every item, or of all items together. */
class Pictures {
  constructor({ data, shape }, colour) {
    [this.count, this.height, this.width] = shape;
    this.atlas = new Atlas(toWords(data, colour), this.height, this.width);
  }

  draw(pen, item, width, height) {
    pen.imageSmoothingEnabled = width < 2 * this.width && width !== this.width;
    this.atlas.draw(pen, Math.min(item, this.count - 1), 0, 0, width, height);
  }
}

/** A code map of every item; −1 where there is no code yet. */
class Maps {
  constructor({ data, shape }, level, name, colours) {
    const [count, rows, columns] = shape;
    Object.assign(this, { data, count, rows, columns, level, name, colours, cells: rows * columns });
    this.scratch = Object.assign(document.createElement("canvas"), { width: columns, height: rows });
    this.image = new ImageData(columns, rows);
  }

  codes(item) {
    const from = Math.min(item, this.count - 1) * this.cells;
    return this.data.subarray(from, from + this.cells);
  }

  draw(pen, item, width, height) {
    const words = new Uint32Array(this.image.data.buffer), codes = this.codes(item);
    for (let k = 0; k < this.cells; k++) words[k] = codes[k] < 0 ? NOTHING : this.colours[codes[k]];
    this.scratch.getContext("2d").putImageData(this.image, 0, 0);
    pen.imageSmoothingEnabled = false;
    pen.drawImage(this.scratch, 0, 0, width, height);
  }

  /** Codes as numbers where a cell has the room; false where it has not. */
  number(pen, item, width, height, font) {
    const size = [width / this.columns, height / this.rows], letters = Math.min(size[0] / 2.1, size[1] * 0.6, 15);
    if (letters < 6.5) return false;
    Object.assign(pen, { font: `600 ${letters}px ${font}`, textAlign: "center", textBaseline: "middle" });
    this.codes(item).forEach((code, k) => {
      if (code < 0) return;
      pen.fillStyle = isBright(this.colours[code]) ? "#000" : "#fff";
      pen.fillText(code, ((k % this.columns) + 0.5) * size[0], (Math.floor(k / this.columns) + 0.53) * size[1]);
    });
    return true;
  }

  /** The cell at a place given as shares of width and height. */
  at([u, v]) {
    const inside = (share, count) => Math.min(Math.max(Math.floor(share * count), 0), count - 1);
    return inside(v, this.rows) * this.columns + inside(u, this.columns);
  }

  /** A cell's left, top, width and height on a canvas of that size. */
  box(cell, width, height) {
    const w = width / this.columns, h = height / this.rows;
    return [(cell % this.columns) * w, Math.floor(cell / this.columns) * h, w, h];
  }
}

/** What each item's code was drawn from: bars in the codes' colours, the likeliest one first. */
class Law {
  constructor(arrays, colours) {
    const { law, law_codes: codes, law_drawn: drawn, law_level: level } = arrays;
    Object.assign(this, { most: law.shape[1], p: law.data, codes: codes.data, drawn: drawn.data, level: level.data, colours });
  }

  draw(pen, item, width, height, look) {
    const from = item * this.most, colours = this.colours[this.level[item]], gap = 1, band = (height - gap) / this.most;
    let top = 0;
    for (let k = 0; k < this.most; k++) top = Math.max(top, this.p[from + k]);
    if (!top) return;
    for (let k = 0; k < this.most; k++) {
      const p = this.p[from + k], y = gap + k * band, thick = Math.max(band - gap, 1);
      if (!p) continue;
      pen.fillStyle = css(colours[this.codes[from + k]]);
      pen.fillRect(0, y, Math.max((p / top) * (width - 46 * look.scale), 1), thick);
      if (this.drawn[item] !== k) continue;
      const end = Math.max((p / top) * (width - 46 * look.scale), 1);
      pen.strokeStyle = look.data;
      pen.lineWidth = 2;
      pen.strokeRect(0, y - 0.5, end, thick + 1);
      Object.assign(pen, { fillStyle: look.ink, font: look.small, textAlign: "left", textBaseline: "middle" });
      pen.fillText(`${p < 0.0995 ? (100 * p).toFixed(1) : Math.round(100 * p)} %`, end + 5, Math.max(y + band / 2, 7));
    }
  }
}

const css = (word) => `rgb(${word & 255} ${(word >>> 8) & 255} ${(word >>> 16) & 255})`;

const isBright = (word) => 0.299 * (word & 255) + 0.587 * ((word >>> 8) & 255) + 0.114 * ((word >>> 16) & 255) > 130;

/** Everything of a board by name, from what Python packed. */
export function sourcesOf({ meta, arrays }) {
  const each = (count, make) => Array.from({ length: count }, (_, k) => make(k));
  const colours = each(meta.levels.length, (k) => toWords(arrays[`colours${k}`].data, true));
  const pictures = each(meta.pictures, (k) => new Pictures(arrays[`picture${k}`], meta.colour));
  const maps = each(meta.maps, (k) => {
    const level = meta.map_levels[k];
    return new Maps(arrays[`map${k}`], level, meta.levels[level], colours[level]);
  });
  const times = arrays.times ? arrays.times.data : null, law = arrays.law ? new Law(arrays, colours) : null;
  return { ...meta, pictures, maps, law, times, digits: 0, now: arrays.now ? arrays.now.data : null };
}
