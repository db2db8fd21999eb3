// The eraser: cells of an image that are to be drawn anew, chosen with the pointer, the keyboard or a button.

const EMPTY = "rgb(96 96 96)"; // as where nothing is drawn yet, see app/vqvae/drawing.py
const KEYS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
const REGIONS = {
  lower: (row, column, rows) => row >= Math.floor(rows / 2),
  left: (row, column, rows, columns) => column < Math.floor(columns / 2),
  centre: (row, column, rows, columns) => 2 * Math.abs(2 * row + 1 - rows) <= rows && 2 * Math.abs(2 * column + 1 - columns) <= columns,
  nothing: () => false,
};

class Eraser {
  constructor(root) {
    this.root = root;
    this.find = (name) => root.querySelector(`.${name}`);
    this.canvas = this.find("sheet");
    this.sent = new Set(); // what Python may tell us because we have told it
    this.at = null; // the cell under the pointer or the keys
    this.listen();
  }

  listen() {
    const { canvas } = this;
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      canvas.setPointerCapture(event.pointerId);
      const cell = this.cellAt(event);
      this.erasing = !this.erased[cell];
      this.last = cell;
      this.stroke = true;
      this.mark([cell]);
    });
    canvas.addEventListener("pointermove", (event) => {
      this.at = this.cellAt(event);
      if (this.stroke) this.mark(this.between(this.last, (this.last = this.at)));
      else this.draw();
    });
    for (const type of ["pointerup", "pointercancel"]) canvas.addEventListener(type, () => this.lift());
    canvas.addEventListener("pointerleave", () => this.leave());
    canvas.addEventListener("blur", () => this.leave());
    canvas.addEventListener("keydown", (event) => this.press(event));
    for (const button of this.root.querySelectorAll("button")) button.addEventListener("click", () => this.choose(button.dataset.region));
  }

  receive(options) {
    const key = JSON.stringify([options.rows, options.columns, options.erased]);
    if (!this.sent.has(key)) {
      this.erased = new Uint8Array(options.rows * options.columns);
      for (const cell of options.erased) this.erased[cell] = 1;
      this.sent = new Set([key]);
    }
    this.options = options;
    this.at = null;
    this.picture = picture(options);
    Object.assign(this.root.dataset, { classroom: String(options.classroom), ready: "true" });
    this.fit();
  }

  fit() {
    const { height, width, side } = this.options, scale = side / Math.max(height, width), ratio = Math.min(globalThis.devicePixelRatio || 1, 2);
    [this.width, this.height] = [Math.round(width * scale), Math.round(height * scale)];
    Object.assign(this.canvas, { width: Math.round(this.width * ratio), height: Math.round(this.height * ratio) });
    Object.assign(this.canvas.style, { width: `${this.width}px`, height: `${this.height}px` });
    this.ratio = ratio;
    this.draw();
  }

  cellAt(event) {
    const { rows, columns } = this.options, box = this.canvas.getBoundingClientRect();
    const place = (share, count) => Math.min(Math.max(Math.floor(share * count), 0), count - 1);
    return place((event.clientY - box.top) / box.height, rows) * columns + place((event.clientX - box.left) / box.width, columns);
  }

  /** Cells on the way from one to another, so that a quick stroke has no gaps. */
  between(from, to) {
    const { columns } = this.options, [r0, c0, r1, c1] = [from, to].flatMap((cell) => [Math.floor(cell / columns), cell % columns]);
    const steps = Math.max(Math.abs(r1 - r0), Math.abs(c1 - c0), 1);
    return Array.from({ length: steps + 1 }, (_, k) => Math.round(r0 + (k / steps) * (r1 - r0)) * columns + Math.round(c0 + (k / steps) * (c1 - c0)));
  }

  mark(cells) {
    for (const cell of cells) this.erased[cell] = Number(this.erasing);
    this.draw();
  }

  lift() {
    if (!this.stroke) return;
    this.stroke = false;
    this.send();
  }

  leave() {
    if (this.stroke) return;
    this.at = null;
    this.draw();
  }

  press(event) {
    const { rows, columns } = this.options, move = KEYS[event.key];
    if (!move && event.key !== " ") return;
    event.preventDefault();
    if (move) {
      const [row, column] = this.at === null ? [0, 0] : [Math.floor(this.at / columns) + move[0], (this.at % columns) + move[1]];
      this.at = Math.min(Math.max(row, 0), rows - 1) * columns + Math.min(Math.max(column, 0), columns - 1);
    } else if (this.at !== null) {
      this.erasing = !this.erased[this.at];
      this.mark([this.at]);
      this.send();
    }
    if (this.at !== null) this.say(`Row ${Math.floor(this.at / columns)}, column ${this.at % columns}, ${this.erased[this.at] ? "erased" : "kept"}`);
    this.draw();
  }

  choose(region) {
    const { rows, columns } = this.options;
    this.erased = this.erased.map((_, cell) => Number(REGIONS[region](Math.floor(cell / columns), cell % columns, rows, columns)));
    this.draw();
    this.send();
  }

  send() {
    const { rows, columns } = this.options, cells = [...this.erased.keys()].filter((cell) => this.erased[cell]);
    this.sent.add(JSON.stringify([rows, columns, cells]));
    this.say(`${cells.length} of ${rows * columns} codes erased`);
    this.setStateValue("erased", { rows, columns, cells });
  }

  draw() {
    const { rows, columns } = this.options, pen = this.canvas.getContext("2d"), [w, h] = [this.width / columns, this.height / rows];
    pen.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    pen.imageSmoothingEnabled = false;
    pen.drawImage(this.picture, 0, 0, this.width, this.height);
    pen.fillStyle = EMPTY;
    this.erased.forEach((gone, cell) => gone && pen.fillRect((cell % columns) * w, Math.floor(cell / columns) * h, w, h));
    pen.strokeStyle = "rgb(128 128 128 / .45)";
    pen.lineWidth = 1;
    pen.beginPath();
    for (let k = 1; k < columns; k++) pen.rect(k * w, 0, 0, this.height);
    for (let k = 1; k < rows; k++) pen.rect(0, k * h, this.width, 0);
    pen.stroke();
    for (const [width, colour] of this.at === null ? [] : [[4, "#fff"], [2, "#000"]]) {
      pen.lineWidth = width;
      pen.strokeStyle = colour;
      pen.strokeRect((this.at % columns) * w + 2, Math.floor(this.at / columns) * h + 2, w - 4, h - 4);
    }
    this.tell();
  }

  tell() {
    const { rows, columns, alt } = this.options, gone = this.erased.reduce((a, b) => a + b, 0), text = `${gone} of ${rows * columns} codes erased`;
    this.find("count").textContent = text;
    this.canvas.setAttribute("aria-label", `${alt} ${text}.`);
    this.root.dataset.erased = String(gone);
    for (const button of this.root.querySelectorAll("button")) {
      const inside = REGIONS[button.dataset.region];
      button.setAttribute("aria-pressed", String(this.erased.every((gone, cell) => Boolean(gone) === inside(Math.floor(cell / columns), cell % columns, rows, columns))));
    }
  }

  say(text) { this.find("live").textContent = text; }
}

/** The image, from base64 of its RGB bytes, on a canvas of its own. */
function picture({ pixels, height, width }) {
  const bytes = Uint8Array.from(atob(pixels), (letter) => letter.charCodeAt(0)), image = new ImageData(width, height);
  for (let i = 0; i < height * width; i++) image.data.set([bytes[3 * i], bytes[3 * i + 1], bytes[3 * i + 2], 255], 4 * i);
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

const erasers = new WeakMap();

/** Streamlit calls this at every new message and every change of theme, on the same element. */
export default function mount({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".eraser");
  let eraser = erasers.get(root);
  if (!eraser) erasers.set(root, (eraser = new Eraser(root)));
  eraser.setStateValue = setStateValue;
  eraser.receive(data);
  return () => erasers.delete(root);
}
