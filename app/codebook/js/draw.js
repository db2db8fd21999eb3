// What every panel draws with: two canvases one above the other, and many small pictures in one.

/** A still picture (`base`) below what follows the pointer (`over`); sizes in CSS pixels. */
export class Layers {
  constructor(element) {
    this.element = element;
    [this.base, this.over] = element.querySelectorAll("canvas");
  }

  fit(width, height) {
    this.ratio = Math.min(globalThis.devicePixelRatio || 1, 2);
    Object.assign(this, { width, height });
    for (const canvas of [this.base, this.over]) {
      const [w, h] = [Math.round(width * this.ratio), Math.round(height * this.ratio)];
      if (canvas.width !== w || canvas.height !== h) Object.assign(canvas, { width: w, height: h });
      Object.assign(canvas.style, { width: `${width}px`, height: `${height}px` });
    }
  }

  /** A wiped canvas's pen, in CSS pixels. */
  pen(which) {
    const pen = this[which].getContext("2d");
    pen.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    pen.clearRect(0, 0, this.width, this.height);
    pen.imageSmoothingEnabled = false;
    return pen;
  }

  /** Where on the picture a pointer is. */
  place(event) {
    const box = this.over.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }
}

/** Grey or RGB bytes as little-endian RGBA words. */
export function toWords(bytes, colour) {
  const words = new Uint32Array(colour ? bytes.length / 3 : bytes.length);
  if (colour)
    for (let i = 0, b = 0; i < words.length; i++, b += 3)
      words[i] = (0xff000000 | (bytes[b + 2] << 16) | (bytes[b + 1] << 8) | bytes[b]) >>> 0;
  else for (let i = 0; i < words.length; i++) words[i] = (0xff000000 | (bytes[i] * 0x010101)) >>> 0;
  return words;
}

/** Many pictures of one size, side by side on a canvas of their own. */
export class Atlas {
  constructor(words, height, width) {
    this.count = words.length / (height * width);
    Object.assign(this, { width, height, words });
    if (!this.count) return;
    this.columns = Math.ceil(Math.sqrt((this.count * height) / width));
    const rows = Math.ceil(this.count / this.columns), image = new ImageData(this.columns * width, rows * height);
    const all = new Uint32Array(image.data.buffer);
    for (let k = 0, from = 0; k < this.count; k++) {
      const [left, top] = this.corner(k);
      for (let row = 0; row < height; row++, from += width)
        all.set(words.subarray(from, from + width), (top + row) * image.width + left);
    }
    this.canvas = Object.assign(document.createElement("canvas"), { width: image.width, height: image.height });
    this.canvas.getContext("2d").putImageData(image, 0, 0);
  }

  corner(k) { return [(k % this.columns) * this.width, Math.floor(k / this.columns) * this.height]; }

  draw(pen, k, x, y, w, h) { pen.drawImage(this.canvas, ...this.corner(k), this.width, this.height, x, y, w, h); }

  /** A part of picture k. */
  crop(pen, k, [left, top, width, height], x, y, w, h) {
    const [cx, cy] = this.corner(k);
    pen.drawImage(this.canvas, cx + left, cy + top, width, height, x, y, w, h);
  }

  /** The mean colour of each picture, as words. */
  means() {
    const size = this.width * this.height, out = new Uint32Array(this.count);
    for (let k = 0; k < this.count; k++) {
      const sum = [0, 0, 0];
      for (let i = k * size; i < (k + 1) * size; i++)
        for (let c = 0; c < 3; c++) sum[c] += (this.words[i] >>> (8 * c)) & 255;
      const [r, g, b] = sum.map((value) => Math.round(value / size));
      out[k] = (0xff000000 | (b << 16) | (g << 8) | r) >>> 0;
    }
    return out;
  }
}

/** One canvas of the page, at its size in CSS pixels, wiped; returns its pen. */
export function sketch(canvas, width, height) {
  const ratio = Math.min(globalThis.devicePixelRatio || 1, 2), [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== h) Object.assign(canvas, { width: w, height: h });
  Object.assign(canvas.style, { width: `${width}px`, height: `${height}px` });
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  pen.imageSmoothingEnabled = false;
  return pen;
}

/** A frame just outside a box: a light line and a dark one, so that it is seen on any picture. */
export function frame(pen, x, y, w, h, colour, width, paper) {
  pen.lineJoin = "miter";
  pen.lineWidth = width + 2;
  pen.strokeStyle = paper;
  pen.strokeRect(x - width / 2, y - width / 2, w + width, h + width);
  pen.lineWidth = width;
  pen.strokeStyle = colour;
  pen.strokeRect(x - width / 2, y - width / 2, w + width, h + width);
}

export const count = (value) => Math.round(value).toLocaleString("en");

export const clampTo = (value, low, high) => Math.min(Math.max(value, low), high);
