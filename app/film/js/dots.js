// Thousands of round dots, written straight into pixels: ten times faster than as many drawImage calls in software.

const PHASES = 4; // a dot's centre is right to an eighth of a pixel, so slow dots glide

/** "#rrggbb" as [r, g, b]. */
export const rgb = (hex) => [1, 3, 5].map((k) => parseInt(hex.slice(k, k + 2), 16));

/** How much of a pixel at this distance a disc covers. */
const cover = (radius, distance) => Math.min(Math.max(radius + 0.5 - distance, 0), 1);

/** One dot as little-endian RGBA words, its centre (cx, cy) pixels from the corner; `rim` is { colour, width, opacity }. */
function stencil(size, cx, cy, radius, colour, rim) {
  const words = new Uint32Array(size * size), inner = rgb(colour), outer = rim ? rgb(rim.colour) : inner;
  for (let y = 0; y < size; y++)
    for (let x = 0; x < size; x++) {
      const distance = Math.hypot(x + 0.5 - cx, y + 0.5 - cy), a = cover(radius, distance);
      const b = rim ? (1 - a) * rim.opacity * cover(radius + rim.width, distance) : 0, alpha = a + b;
      const [red, green, blue] = inner.map((value, k) => (alpha ? Math.round((a * value + b * outer[k]) / alpha) : 0));
      words[y * size + x] = ((Math.round(255 * alpha) << 24) | (blue << 16) | (green << 8) | red) >>> 0;
    }
  return words;
}

/** `above` over `below`, words without premultiplied alpha; below is mostly opaque, and then few operations do. */
function over(above, below) {
  const a = above >>> 24, b = below >>> 24, rest = b === 255 ? 255 - a : (b * (255 - a)) / 255, alpha = a + rest;
  const share = a / alpha, keep = rest / alpha;
  const red = (above & 255) * share + (below & 255) * keep + 0.5;
  const green = ((above >>> 8) & 255) * share + ((below >>> 8) & 255) * keep + 0.5;
  const blue = ((above >>> 16) & 255) * share + ((below >>> 16) & 255) * keep + 0.5;
  return (((alpha + 0.5) << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

export class Dots {
  constructor() {
    this.canvas = document.createElement("canvas");
    this.context = this.canvas.getContext("2d");
    this.known = new Map();
  }

  /** The PHASES² stencils of one kind of dot. */
  stencils(radius, colour, rim) {
    const key = JSON.stringify([radius, colour, rim]);
    if (!this.known.has(key)) {
      if (this.known.size > 12) this.known.clear();
      const reach = radius + (rim ? rim.width : 0) + 0.5, size = Math.ceil(2 * reach) + 1, all = [];
      const corner = reach + 0.5 / PHASES;
      for (let k = 0; k < PHASES * PHASES; k++)
        all.push(stencil(size, corner + (k % PHASES) / PHASES, corner + Math.floor(k / PHASES) / PHASES, radius, colour, rim));
      this.known.set(key, { size, reach, all });
    }
    return this.known.get(key);
  }

  /** Draw dots at device pixels `places` [x0, y0, x1, y1, …] onto a context whose canvas has the same size. */
  draw(target, places, radius, colour, rim) {
    this.drawKinds(target, places, null, radius, [colour], rim);
  }

  /** The same in several colours: dot i has the colour `colours[kinds[i]]`; without kinds all have the first. */
  drawKinds(target, places, kinds, radius, colours, rim) {
    const { width, height } = target.canvas, sets = colours.map((colour) => this.stencils(radius, colour, rim));
    const { size, reach } = sets[0], all = sets.map((set) => set.all);
    if (this.canvas.width !== width || this.canvas.height !== height || !this.image) {
      Object.assign(this.canvas, { width, height });
      this.image = this.context.createImageData(width, height);
      this.words = new Uint32Array(this.image.data.buffer);
    }
    const box = { left: width, right: 0, top: height, bottom: 0 };
    for (let i = 0; i < places.length; i += 2) {
      const x = places[i] - reach, y = places[i + 1] - reach, left = Math.floor(x), top = Math.floor(y);
      if (!(left > -size && top > -size && left < width && top < height)) continue;
      const phase = Math.floor((y - top) * PHASES) * PHASES + Math.floor((x - left) * PHASES);
      this.stamp(all[kinds ? kinds[i >> 1] : 0][phase], size, left, top);
      box.left = Math.min(box.left, left);
      box.top = Math.min(box.top, top);
      box.right = Math.max(box.right, left + size);
      box.bottom = Math.max(box.bottom, top + size);
    }
    this.put(target, box);
  }

  stamp(stencil, size, left, top) {
    const { words, canvas: { width, height } } = this, from = Math.max(0, -left), to = Math.min(size, width - left);
    for (let row = Math.max(0, -top); row < Math.min(size, height - top); row++) {
      let at = (top + row) * width + left + from;
      for (let k = row * size + from, end = row * size + to; k < end; k++, at++) {
        const word = stencil[k];
        if (word < 0x1000000) continue;
        words[at] = word >= 0xff000000 || words[at] === 0 ? word : over(word, words[at]);
      }
    }
  }

  /** Copy the part that was drawn on, and wipe it for the next time. */
  put(target, box) {
    const { width, height } = this.canvas, left = Math.max(box.left, 0), top = Math.max(box.top, 0);
    const w = Math.min(box.right, width) - left, h = Math.min(box.bottom, height) - top;
    if (w <= 0 || h <= 0) return;
    this.context.putImageData(this.image, 0, 0, left, top, w, h);
    target.drawImage(this.canvas, left, top, w, h, left, top, w, h);
    for (let row = top; row < top + h; row++) this.words.fill(0, row * width + left, row * width + left + w);
  }
}
