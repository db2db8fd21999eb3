// The region |R(λh)| ≤ 1 with a point that can be dragged, and the numbers zₙ = R(λh)ⁿ beside exp(λh n).

const STEPS = 24;
const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

/** R(a + ib) by Horner's rule: [re, im]. */
export function amplify(polynomial, a, b) {
  let [re, im] = [0, 0];
  for (let k = polynomial.length - 1; k >= 0; k--) [re, im] = [re * a - im * b + polynomial[k], re * b + im * a];
  return [re, im];
}

const signed = (value) => (Math.abs(value) < 5e-4 ? "0" : String(Number(value.toFixed(3)))).replace("-", "−");

class Stability {
  constructor(root) {
    Object.assign(this, { root, find: (name) => root.querySelector(`.${name}`), at: null });
    this.region = this.find("region");
    this.course = this.find("course");
    const move = (event) => this.held && this.point(event);
    this.region.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      this.region.setPointerCapture(event.pointerId);
      this.held = true;
      this.point(event);
    });
    this.region.addEventListener("pointermove", move);
    for (const type of ["pointerup", "pointercancel"]) this.region.addEventListener(type, () => (this.held = false));
    this.region.addEventListener("keydown", (event) => this.key(event));
    this.watcher = new ResizeObserver(() => this.resize());
    this.watcher.observe(root);
  }

  take(data) {
    const anew = !this.data || this.data.start.join() !== data.start.join();
    const shape = !this.data || this.data.polynomial.join() !== data.polynomial.join();
    this.data = data;
    if (anew) this.at = [...data.start];
    if (shape) this.shade = null;
    this.root.dataset.classroom = String(data.classroom);
    const style = getComputedStyle(this.root), [r, g, b] = style.backgroundColor.match(/[\d.]+/g).map(Number);
    const night = 0.299 * r + 0.587 * g + 0.114 * b < 128;
    const colour = (name) => data.colours[name][night ? "dark" : "light"];
    this.look = { ink: style.color, paper: style.backgroundColor, font: `${parseFloat(style.fontSize) - 1}px ${style.fontFamily}`, line: colour("line"),
      flow: colour("flow"), bad: colour("rejected"), good: colour("back") };
    this.shade = null;
    this.resize();
  }

  resize() {
    const room = this.root.clientWidth;
    if (!this.data || !room) return;
    const [x0, x1, y0, y1] = this.data.extent, height = Math.min(this.data.height, Math.floor(((room - 14) * (y1 - y0)) / (x1 - x0)));
    const width = Math.floor((height * (x1 - x0)) / (y1 - y0)), rest = room - width - 14;
    this.ratio = Math.min(globalThis.devicePixelRatio || 1, 2);
    this.size(this.region, width, height);
    this.size(this.course, rest < 160 ? width : rest, rest < 160 ? 150 : height);
    this.shade = null;
    this.draw();
  }

  size(canvas, width, height) {
    Object.assign(canvas, { width: Math.round(width * this.ratio), height: Math.round(height * this.ratio) });
    Object.assign(canvas.style, { width: `${width}px`, height: `${height}px` });
  }

  point(event) {
    const box = this.region.getBoundingClientRect(), [x0, x1, y0, y1] = this.data.extent;
    const a = x0 + ((event.clientX - box.left) / box.width) * (x1 - x0), b = y1 - ((event.clientY - box.top) / box.height) * (y1 - y0);
    this.move(a, Math.abs(b) < 0.06 ? 0 : b); // the real axis holds what comes near
  }

  key(event) {
    const by = KEYS[event.key];
    if (!by) return;
    event.preventDefault();
    const step = event.shiftKey ? 0.01 : 0.1;
    this.move(this.at[0] + step * by[0], this.at[1] + step * by[1]);
  }

  move(a, b) {
    const [x0, x1, y0, y1] = this.data.extent;
    this.at = [Math.min(Math.max(a, x0), x1), Math.min(Math.max(b, y0), y1)];
    this.draw();
  }

  draw() {
    if (!this.shade) this.shade = this.shaded();
    const [re, im] = amplify(this.data.polynomial, ...this.at), grows = Math.hypot(re, im), stable = grows <= 1 + 1e-12;
    this.plane(stable);
    this.curves(re, im, stable);
    const [a, b] = this.at, w = `${signed(a)}${b ? ` ${b < 0 ? "−" : "+"} ${signed(Math.abs(b))} i` : ""}`, dies = a < 0;
    this.find("told").textContent = `${this.data.title}: λh = ${w}, |R(λh)| = ${signed(grows)}. The numbers ${grows < 1 - 1e-9 ? "die away" : stable ? "keep their size" : "explode"}, `
      + `the solution ${dies ? "dies away" : a > 0 ? "grows" : "keeps its size"}.`;
    this.region.setAttribute("aria-valuetext", this.find("told").textContent);
    Object.assign(this.root.dataset, { re: String(a), im: String(b), grows: String(grows), stable: String(stable) });
  }

  /** The region as a picture, made anew only for another method, size or theme. */
  shaded() {
    const { width, height } = this.region, picture = new OffscreenCanvas(width, height), pen = picture.getContext("2d"), image = pen.createImageData(width, height);
    const [x0, x1, y0, y1] = this.data.extent, colour = this.look.good.match(/\w\w/g).map((hex) => parseInt(hex, 16));
    for (let row = 0; row < height; row++)
      for (let column = 0; column < width; column++) {
        const size = Math.hypot(...amplify(this.data.polynomial, x0 + ((column + 0.5) / width) * (x1 - x0), y1 - ((row + 0.5) / height) * (y1 - y0)));
        if (size <= 1) image.data.set([...colour, 40 + 60 * (1 - size)], 4 * (row * width + column));
      }
    pen.putImageData(image, 0, 0);
    return picture;
  }

  plane(stable) {
    const { region, ratio, look } = this, pen = region.getContext("2d"), [x0, x1, y0, y1] = this.data.extent, width = region.width / ratio, height = region.height / ratio;
    const x = (a) => ((a - x0) / (x1 - x0)) * width, y = (b) => ((y1 - b) / (y1 - y0)) * height;
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, region.width, region.height);
    pen.drawImage(this.shade, 0, 0);
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    Object.assign(pen, { globalAlpha: 0.25, strokeStyle: look.ink, lineWidth: 1 });
    pen.beginPath();
    pen.moveTo(0, y(0)); pen.lineTo(width, y(0));
    pen.moveTo(x(0), 0); pen.lineTo(x(0), height);
    pen.stroke();
    Object.assign(pen, { globalAlpha: 0.7, fillStyle: look.ink, font: look.font, textAlign: "center", textBaseline: "top" });
    for (let a = Math.ceil(x0); a <= x1; a++) if (a) pen.fillText(signed(a), x(a), y(0) + 4);
    pen.textAlign = "left";
    pen.fillText("Im λh", x(0) + 6, 4);
    pen.textAlign = "right";
    pen.fillText("Re λh", width - 4, y(0) - 18);
    pen.globalAlpha = 1;
    pen.beginPath();
    pen.arc(x(this.at[0]), y(this.at[1]), 7, 0, 7);
    Object.assign(pen, { fillStyle: stable ? look.line : look.bad, strokeStyle: look.paper, lineWidth: 2 });
    pen.fill();
    pen.stroke();
  }

  /** Re zₙ against n, cut off at ±2, beside the true curve. */
  curves(re, im, stable) {
    const { course, ratio, look, at: [a, b] } = this, pen = course.getContext("2d"), width = course.width / ratio, height = course.height / ratio;
    const x = (n) => 12 + (n / STEPS) * (width - 24), y = (v) => height / 2 - (Math.min(Math.max(v, -2.2), 2.2) / 2.2) * (height / 2 - 8);
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    const stroke = (colour, line, opacity) => {
      Object.assign(pen, { strokeStyle: colour, lineWidth: line, globalAlpha: opacity });
      pen.stroke();
      pen.globalAlpha = 1;
    };
    pen.beginPath();
    pen.moveTo(x(0), y(0)); pen.lineTo(x(STEPS), y(0));
    stroke(look.ink, 1, 0.25);
    pen.beginPath();
    for (let k = 0; k <= 8 * STEPS; k++) pen.lineTo(x(k / 8), y(Math.exp((a * k) / 8) * Math.cos((b * k) / 8)));
    stroke(look.flow, 2, 1);
    const places = [];
    for (let n = 0, u = 1, v = 0; n <= STEPS; n++, [u, v] = [u * re - v * im, u * im + v * re]) places.push([x(n), y(Number.isFinite(u) ? u : 9)]);
    pen.beginPath();
    for (const place of places) pen.lineTo(...place);
    stroke(stable ? look.line : look.bad, 1.4, 0.9);
    pen.fillStyle = stable ? look.line : look.bad;
    for (const [px, py] of places) {
      pen.beginPath();
      pen.arc(px, py, 3, 0, 7);
      pen.fill();
    }
    Object.assign(pen, { fillStyle: look.ink, globalAlpha: 0.7, font: look.font, textAlign: "right", textBaseline: "bottom" });
    pen.fillText(`Re zₙ, n = 0 … ${STEPS}; grey: e^(λhn)`, width - 8, height - 4);
    pen.globalAlpha = 1;
  }

  destroy() { this.watcher.disconnect(); }
}

const known = new WeakMap();

/** Streamlit calls this at every new message and every change of theme, on the same element. */
export default function mount({ data, parentElement }) {
  const root = parentElement.querySelector(".stability");
  let stage = known.get(root);
  if (!stage) known.set(root, (stage = new Stability(root)));
  stage.take(data);
  return () => {
    stage.destroy();
    known.delete(root);
  };
}
