// A sheet to spray points on. Points live here until "Use these points" sends them to Python.

const pads = new WeakMap();

class Pad {
  constructor(root) {
    this.root = root;
    this.find = (name) => root.querySelector(`.${name}`);
    this.sheet = this.find("sheet");
    this.points = []; // [x, y] in the plane
    this.past = []; // the points before each stroke
    this.mode = "spray";
    this.listen();
    new ResizeObserver(() => this.draw()).observe(this.sheet);
  }

  listen() {
    const on = (name, type, act) => this.find(name).addEventListener(type, act);
    on("sheet", "pointerdown", (event) => {
      this.sheet.setPointerCapture(event.pointerId);
      this.keep();
      this.stroke = setInterval(() => this.dab(), 30);
      this.move(event);
      this.dab();
    });
    on("sheet", "pointermove", (event) => this.stroke && (this.move(event), this.dab()));
    for (const type of ["pointerup", "pointercancel", "lostpointercapture"]) on("sheet", type, () => this.lift());
    for (const mode of ["spray", "erase"]) on(mode, "click", () => this.use(mode));
    on("undo", "click", () => this.past.length && this.show(this.past.pop()));
    on("clear", "click", () => { this.keep(); this.show([]); });
    on("use", "click", () => this.send(this.points));
  }

  use(mode) {
    this.mode = mode;
    for (const name of ["spray", "erase"]) this.find(name).setAttribute("aria-pressed", String(name === mode));
  }

  keep() {
    this.past.push(this.points.slice());
    if (this.past.length > 50) this.past.shift();
  }

  lift() {
    clearInterval(this.stroke);
    this.stroke = null;
  }

  move(event) {
    const box = this.sheet.getBoundingClientRect(), [xmin, xmax, ymin, ymax] = this.extent;
    this.at = [xmin + (event.clientX - box.left) / box.width * (xmax - xmin),
      ymax - (event.clientY - box.top) / box.height * (ymax - ymin)];
  }

  dab() {
    const radius = Number(this.find("size").value), [x, y] = this.at;
    if (this.mode === "erase") {
      this.show(this.points.filter(([a, b]) => (a - x) ** 2 + (b - y) ** 2 > radius ** 2));
      return;
    }
    const [xmin, xmax, ymin, ymax] = this.extent, fresh = [];
    for (let k = Number(this.find("flow").value); k > 0 && this.points.length + fresh.length < this.most; k--) {
      const r = radius * Math.sqrt(Math.random()), angle = 2 * Math.PI * Math.random();
      const point = [x + r * Math.cos(angle), y + r * Math.sin(angle)];
      if (point[0] >= xmin && point[0] <= xmax && point[1] >= ymin && point[1] <= ymax) fresh.push(point);
    }
    this.show(this.points.concat(fresh));
  }

  show(points) {
    this.points = points;
    const full = points.length >= this.most ? ", the most there can be" : "";
    const text = `${points.length.toLocaleString("en")} points${full}`;
    this.find("count").textContent = text;
    this.find("use").disabled = points.length < 2;
    this.find("undo").disabled = this.past.length === 0;
    this.sheet.setAttribute("aria-label", `Drawing pad with ${text}`);
    this.draw();
  }

  draw() {
    if (!this.extent) return;
    const ratio = globalThis.devicePixelRatio || 1, side = Math.round(this.sheet.clientWidth * ratio);
    if (!side) return;
    this.sheet.width = this.sheet.height = side;
    const [xmin, xmax, ymin, ymax] = this.extent, pen = this.sheet.getContext("2d");
    pen.clearRect(0, 0, side, side);
    pen.strokeStyle = getComputedStyle(this.root).getPropertyValue("--line");
    pen.beginPath();
    pen.moveTo(side / 2, 0); pen.lineTo(side / 2, side); pen.moveTo(0, side / 2); pen.lineTo(side, side / 2);
    pen.stroke();
    pen.fillStyle = this.colour;
    const dot = 1.6 * ratio;
    for (const [x, y] of this.points) {
      pen.fillRect((x - xmin) / (xmax - xmin) * side - dot / 2, (ymax - y) / (ymax - ymin) * side - dot / 2, dot, dot);
    }
  }
}

export default function ({ parentElement, data, setStateValue }) {
  const root = parentElement.querySelector(".pad");
  let pad = pads.get(root);
  const first = !pad;
  if (first) pads.set(root, (pad = new Pad(root)));
  Object.assign(pad, { extent: data.extent, most: data.most, colour: data.colour });
  pad.send = (points) => setStateValue("points", { drawn: points.flat().map((value) => Number(value.toFixed(4))), at: Date.now() });
  root.dataset.classroom = data.classroom;
  pad.sheet.style.maxHeight = `${data.height}px`;
  root.style.maxWidth = `${data.height}px`;
  if (first && data.points.length) pad.points = data.points;
  pad.show(pad.points);
}
