// A sheet to spray points on. Points live here until "Use these points" sends them to Python.

const TICK = 30; // ms from dab to dab while a stroke lasts: its density does not depend on how often the pointer reports
const KEPT = 50; // strokes that can be taken back
const STEP = 1 / 40; // of the sheet: how far an arrow key moves the brush
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

/** `count` random points, evenly over the disc that slides from one place to the other. */
function spray([ax, ay], [bx, by], radius, count) {
  return Array.from({ length: count }, () => {
    const share = Math.random(), r = radius * Math.sqrt(Math.random()), angle = 2 * Math.PI * Math.random();
    return [ax + share * (bx - ax) + r * Math.cos(angle), ay + share * (by - ay) + r * Math.sin(angle)];
  });
}

/** Squared distance of a point from the straight way between two places. */
function distance2([x, y], [ax, ay], [bx, by]) {
  const dx = bx - ax, dy = by - ay, length = dx * dx + dy * dy;
  const share = length ? Math.min(Math.max(((x - ax) * dx + (y - ay) * dy) / length, 0), 1) : 0;
  return (x - ax - share * dx) ** 2 + (y - ay - share * dy) ** 2;
}

class Pad {
  constructor(root) {
    this.root = root;
    this.find = (name) => root.querySelector(`.${name}`);
    this.sheet = this.find("sheet");
    this.points = []; // [x, y] in the plane
    this.past = []; // the points before each stroke
    this.mode = "spray";
    this.at = null; // where the brush is, and where it was at the last dab
    this.last = null;
    this.listen();
    this.watcher = new ResizeObserver(() => this.draw());
    this.watcher.observe(this.sheet);
  }

  destroy() {
    this.watcher.disconnect();
    clearInterval(this.stroke);
  }

  listen() {
    const on = (name, type, act) => this.find(name).addEventListener(type, act);
    on("sheet", "pointerdown", (event) => this.down(event));
    on("sheet", "pointermove", (event) => this.move(event));
    for (const type of ["pointerup", "pointercancel", "lostpointercapture"]) on("sheet", type, () => this.lift());
    for (const type of ["pointerleave", "blur"]) on("sheet", type, () => this.hide());
    on("sheet", "keydown", (event) => this.key(event));
    for (const mode of ["spray", "erase"]) on(mode, "click", () => this.use(mode));
    for (const slider of ["size", "flow"]) on(slider, "input", () => this.slide());
    on("undo", "click", () => this.undo());
    on("clear", "click", () => { this.keep(); this.show([]); });
    on("use", "click", () => this.send(this.points));
  }

  use(mode) {
    this.mode = mode;
    for (const name of ["spray", "erase"]) this.find(name).setAttribute("aria-pressed", String(name === mode));
    this.find("flow").disabled = mode === "erase";
  }

  slide() {
    for (const slider of [this.find("size"), this.find("flow")])
      slider.style.setProperty("--share", (slider.value - slider.min) / (slider.max - slider.min));
    this.draw();
  }

  keep() {
    this.past.push(this.points);
    if (this.past.length > KEPT) this.past.shift();
  }

  undo() {
    if (this.past.length) this.show(this.past.pop());
  }

  locate(event) {
    const box = this.sheet.getBoundingClientRect(), [xmin, xmax, ymin, ymax] = this.extent;
    return [xmin + (event.clientX - box.left) / box.width * (xmax - xmin),
      ymax - (event.clientY - box.top) / box.height * (ymax - ymin)];
  }

  down(event) {
    if (event.button || !event.isPrimary) return;
    this.sheet.setPointerCapture(event.pointerId);
    this.keep();
    this.at = this.last = this.locate(event);
    clearInterval(this.stroke);
    this.stroke = setInterval(() => this.dab(), TICK);
    this.dab();
  }

  move(event) {
    if (!event.isPrimary) return;
    this.at = this.locate(event);
    this.draw();
  }

  lift() {
    if (!this.stroke) return;
    clearInterval(this.stroke);
    this.stroke = null;
    if (String(this.last) === String(this.at)) this.show(this.points);
    else this.dab();
  }

  hide() {
    if (this.stroke) return;
    this.at = null;
    this.draw();
  }

  key(event) {
    const [xmin, xmax, ymin, ymax] = this.extent;
    if (ARROWS[event.key]) {
      const [dx, dy] = ARROWS[event.key], [x, y] = this.at ?? [(xmin + xmax) / 2, (ymin + ymax) / 2];
      this.at = [Math.min(Math.max(x + dx * STEP * (xmax - xmin), xmin), xmax),
        Math.min(Math.max(y + dy * STEP * (ymax - ymin), ymin), ymax)];
      this.draw();
    } else if (event.key === " " || event.key === "Enter") {
      this.at ??= [(xmin + xmax) / 2, (ymin + ymax) / 2];
      this.last = this.at;
      if (!event.repeat) this.keep();
      this.dab();
    } else if (event.key === "z" && (event.ctrlKey || event.metaKey)) this.undo();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  dab() {
    const radius = Number(this.find("size").value), from = this.last, to = this.at;
    this.last = to;
    if (this.mode === "erase") {
      this.show(this.points.filter((point) => distance2(point, from, to) > radius ** 2));
      return;
    }
    const [xmin, xmax, ymin, ymax] = this.extent;
    const fresh = spray(from, to, radius, Number(this.find("flow").value));
    const inside = fresh.filter(([x, y]) => x >= xmin && x <= xmax && y >= ymin && y <= ymax);
    this.show(this.points.concat(inside.slice(0, this.most - this.points.length)));
  }

  show(points) {
    this.points = points;
    const full = points.length >= this.most ? ", the most there can be" : "";
    const text = `${points.length.toLocaleString("en")} points${full}`;
    this.find("count").textContent = text;
    this.find("use").disabled = points.length < 2;
    this.find("undo").disabled = this.past.length === 0;
    this.find("clear").disabled = points.length === 0;
    this.sheet.setAttribute("aria-label", `Drawing pad with ${text}`);
    if (!this.stroke) this.find("live").textContent = text; // not thirty times a second
    this.draw();
  }

  /** Draw at the next frame, once for all that happens before it. */
  draw() {
    this.due ??= requestAnimationFrame(() => {
      this.due = null;
      this.paint();
    });
  }

  paint() {
    const ratio = globalThis.devicePixelRatio || 1, { sheet, extent } = this;
    const [width, height] = [Math.round(sheet.clientWidth * ratio), Math.round(sheet.clientHeight * ratio)];
    if (!extent || !width || !height) return;
    if (sheet.width !== width || sheet.height !== height) Object.assign(sheet, { width, height });
    const [xmin, xmax, ymin, ymax] = extent, pen = sheet.getContext("2d"), style = getComputedStyle(this.root);
    const px = (x) => (x - xmin) / (xmax - xmin) * width, py = (y) => (ymax - y) / (ymax - ymin) * height;
    pen.clearRect(0, 0, width, height);
    pen.lineWidth = ratio;
    pen.strokeStyle = style.getPropertyValue("--line");
    pen.beginPath();
    pen.moveTo(px((xmin + xmax) / 2), 0);
    pen.lineTo(px((xmin + xmax) / 2), height);
    pen.moveTo(0, py((ymin + ymax) / 2));
    pen.lineTo(width, py((ymin + ymax) / 2));
    pen.stroke();
    pen.fillStyle = this.colour;
    const dot = Math.max(2, Math.round(2 * ratio));
    for (const [x, y] of this.points) pen.fillRect(Math.round(px(x) - dot / 2), Math.round(py(y) - dot / 2), dot, dot);
    if (!this.at) return;
    const radius = Number(this.find("size").value);
    pen.strokeStyle = style.color;
    pen.globalAlpha = 0.55;
    pen.beginPath();
    pen.ellipse(px(this.at[0]), py(this.at[1]), radius * width / (xmax - xmin), radius * height / (ymax - ymin), 0, 0, 7);
    pen.stroke();
    pen.globalAlpha = 1;
  }
}

const pads = new WeakMap();

/** Streamlit calls this at every new message and every change of theme, on the same element. */
export default function mount({ parentElement, data, setStateValue }) {
  const root = parentElement.querySelector(".pad"), [xmin, xmax, ymin, ymax] = data.extent;
  let pad = pads.get(root);
  if (!pad) {
    pads.set(root, (pad = new Pad(root)));
    pad.points = data.points;
  }
  Object.assign(pad, { extent: data.extent, most: data.most, colour: data.colour });
  pad.send = (points) => setStateValue("points", { drawn: points.flat().map((value) => Number(value.toFixed(4))), at: Date.now() });
  root.dataset.classroom = data.classroom;
  const aspect = (xmax - xmin) / (ymax - ymin);
  pad.sheet.style.aspectRatio = String(aspect);
  root.style.maxWidth = `${Math.round(data.height * aspect)}px`;
  pad.slide();
  pad.show(pad.points);
  return () => {
    pad.destroy();
    pads.delete(root);
  };
}
