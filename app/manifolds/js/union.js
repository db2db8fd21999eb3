// The union of discs as coverage of pixels: each disc adds its chord to every scan line, and a running sum joins them.

const LINES = 2; // scan lines in a row of pixels

export class Union {
  constructor() {
    this.width = this.height = 0;
  }

  resize(width, height) {
    if (this.width === width && this.height === height) return;
    Object.assign(this, { width, height });
    this.steps = new Float32Array((width + 2) * height * LINES);
    this.mask = new Uint8Array(width * height);
  }

  /** Coverage 0…255 of each pixel by the discs at `points` [x0, y0, x1, y1, …] with `radii`, seen through a frame. */
  paint(points, radii, { x0, y0, scale }) {
    this.steps.fill(0);
    for (let i = 0; i < radii.length; i++) this.add(x0 + scale * points[2 * i], y0 - scale * points[2 * i + 1], scale * radii[i]);
    this.join();
    return this.mask;
  }

  /** One disc: on every scan line a step up where its chord begins and a step down where it ends. */
  add(cx, cy, radius) {
    const { steps, width, height } = this, stride = width + 2, squared = radius * radius;
    if (!(radius > 0) || cx + radius < 0 || cx - radius > width) return;
    const first = Math.max(0, Math.ceil((cy - radius) * LINES - 0.5));
    const last = Math.min(height * LINES - 1, Math.floor((cy + radius) * LINES - 0.5));
    for (let line = first; line <= last; line++) {
      const dy = (line + 0.5) / LINES - cy, half = Math.sqrt(Math.max(squared - dy * dy, 0));
      const from = Math.min(Math.max(cx - half, 0), width), to = Math.min(Math.max(cx + half, 0), width);
      let at = Math.floor(from), part = from - at;
      steps[line * stride + at] += 1 - part;
      steps[line * stride + at + 1] += part;
      at = Math.floor(to);
      part = to - at;
      steps[line * stride + at] -= 1 - part;
      steps[line * stride + at + 1] -= part;
    }
  }

  join() {
    const { steps, mask, width, height } = this, stride = width + 2, full = 255 / LINES;
    for (let y = 0, at = 0; y < height; y++) {
      let upper = 0, lower = 0, k = y * LINES * stride;
      for (let x = 0; x < width; x++, at++, k++) {
        upper += steps[k];
        lower += steps[k + stride];
        mask[at] = full * ((upper < 1 ? upper : 1) + (lower < 1 ? lower : 1)) + 0.5;
      }
    }
  }

  /** The union as RGBA words: `inside` and `rim` are opacities 0…1 of the colour [r, g, b]. */
  colour(words, [red, green, blue], inside, rim) {
    const { mask, width, height } = this, base = (blue << 16) | (green << 8) | red;
    const word = (alpha) => ((Math.round(alpha) << 24) | base) >>> 0, solid = word(255 * inside);
    for (let y = 0, at = 0; y < height; y++) {
      const up = y > 0 ? -width : 0, down = y < height - 1 ? width : 0;
      for (let x = 0; x < width; x++, at++) {
        const cover = mask[at];
        if (cover === 0) {
          words[at] = 0;
          continue;
        }
        const above = mask[at + up], below = mask[at + down], left = x > 0 ? mask[at - 1] : cover, right = x < width - 1 ? mask[at + 1] : cover;
        if ((cover & above & below & left & right) === 255) {
          words[at] = solid;
          continue;
        }
        // Where a neighbour is covered less than the pixel itself, the rim runs.
        const edge = (cover - Math.min(above, below, left, right, cover)) * rim;
        words[at] = word(Math.max(edge, cover * inside));
      }
    }
  }
}
