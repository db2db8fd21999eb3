// The grid of images: how large they are, where they stand, and their pixels.

const CRISP = 0.8; // an image may lose a fifth of its room to become a whole multiple of its pixels
const GAP = { share: 0.05, least: 2, most: 8 }; // between two images, CSS pixels

/**
 * Sizes in device pixels: { tile: [w, h], gap, band, width, height, smooth }; `band` is kept free above each row.
 *
 * An image is enlarged by a whole number where that costs little, else by a fraction: each pixel then stays a plain
 * rectangle. What is shown smaller than twice its size, and not as it is, is smoothed.
 */
export function gridOf([rows, columns, h, w], room, most, ratio, band = 0) {
  const gap = Math.round(Math.min(Math.max(GAP.share * room / columns / ratio, GAP.least), GAP.most) * ratio);
  const wide = (room - (columns - 1) * gap) / (columns * w), high = (most - (rows - 1) * gap - rows * band) / (rows * h);
  const free = Math.max(Math.min(wide, high), 1 / Math.max(w, h)), whole = Math.floor(free);
  const scale = whole / free >= CRISP ? whole : free;
  const tile = [Math.max(1, Math.floor(w * scale)), Math.max(1, Math.floor(h * scale))];
  return { tile, gap, band, smooth: scale < 2 && scale !== 1, width: columns * (tile[0] + gap) - gap,
    height: rows * (band + tile[1] + gap) - gap };
}

/** Bytes of one or more grey or RGB images as little-endian RGBA words. */
function colourise(bytes, words, colour) {
  if (colour)
    for (let i = 0, b = 0; i < words.length; i++, b += 3)
      words[i] = 0xff000000 | (bytes[b + 2] << 16) | (bytes[b + 1] << 8) | bytes[b];
  else for (let i = 0; i < words.length; i++) words[i] = 0xff000000 | (bytes[i] * 0x010101);
}

export class Sheet {
  constructor(canvas) {
    this.canvas = canvas;
    this.pen = canvas.getContext("2d");
    this.source = document.createElement("canvas"); // all images of one frame, one below the other
  }

  /** Fit the canvas, sizes in CSS pixels; `shape` is [rows, columns, height, width] of the images. */
  resize(shape, colour, room, most, band, ratio) {
    const [rows, columns, h, w] = shape;
    const grid = gridOf(shape, room * ratio, most * ratio, ratio, Math.round(band * ratio));
    Object.assign(this, { shape, colour, ratio, grid });
    if (this.canvas.width !== grid.width || this.canvas.height !== grid.height)
      Object.assign(this.canvas, { width: grid.width, height: grid.height });
    this.canvas.style.width = `${grid.width / ratio}px`;
    this.canvas.style.height = `${grid.height / ratio}px`;
    if (this.source.width !== w || this.source.height !== rows * columns * h) {
      Object.assign(this.source, { width: w, height: rows * columns * h });
      this.image = new ImageData(w, rows * columns * h);
      this.words = new Uint32Array(this.image.data.buffer);
    }
  }

  /** Draw one frame's bytes. */
  paint(bytes) {
    const { pen, grid, source, shape: [rows, columns, h, w] } = this, [tw, th] = grid.tile, { gap, band } = grid;
    colourise(bytes, this.words, this.colour);
    source.getContext("2d").putImageData(this.image, 0, 0);
    pen.clearRect(0, 0, grid.width, grid.height);
    pen.imageSmoothingEnabled = grid.smooth;
    pen.imageSmoothingQuality = "high";
    for (let r = 0, k = 0; r < rows; r++)
      for (let c = 0; c < columns; c++, k++)
        pen.drawImage(source, 0, k * h, w, h, c * (tw + gap), r * (band + th + gap) + band, tw, th);
  }

  /** One image in another canvas, enlarged to at most `edge` CSS pixels. */
  enlarge([row, column], canvas, edge) {
    const [, columns, h, w] = this.shape, scale = edge * this.ratio / Math.max(h, w);
    const whole = scale >= 1 ? Math.floor(scale) : scale;
    const [width, height] = [Math.max(1, Math.round(w * whole)), Math.max(1, Math.round(h * whole))];
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    canvas.style.width = `${width / this.ratio}px`;
    canvas.style.height = `${height / this.ratio}px`;
    const pen = canvas.getContext("2d");
    pen.imageSmoothingEnabled = scale < 1;
    pen.drawImage(this.source, 0, (row * columns + column) * h, w, h, 0, 0, width, height);
  }

  /** Where an image stands, CSS pixels: { left, top, width, height }. */
  box([row, column]) {
    const { tile: [tw, th], gap, band } = this.grid, r = this.ratio;
    return { left: column * (tw + gap) / r, top: (row * (band + th + gap) + band) / r, width: tw / r, height: th / r };
  }

  /** The image at a place on the canvas, CSS pixels; the gap beside an image and the band above it are its own. */
  cellAt(x, y) {
    const { tile: [tw, th], gap, band } = this.grid, [rows, columns] = this.shape;
    const at = (place, size, count) => Math.min(Math.max(Math.floor((place * this.ratio + gap / 2) / (size + gap)), 0), count - 1);
    return [at(y, band + th, rows), at(x, tw, columns)];
  }
}
