// Pointer and probe on the picture: read-out, picking, zoom and pan.

const EVERY = 80; // ms between two points sent while dragging
const CLOSEST = 1 / 32; // of the plane: as far as the zoom goes

const format = (value, digits) => (value < 0 ? "−" : "") + Math.abs(value).toFixed(digits);

/** A density in four figures' room. */
export function formatDensity(p) {
  if (p >= 1e-3 && p < 1e4) return p < 10 ? p.toFixed(4) : p.toFixed(1);
  return p.toExponential(1).replace("-", "−");
}

export class Pointer {
  constructor(canvas, player) {
    this.canvas = canvas;
    this.player = player;
    this.at = null; // in the plane's coordinates
    this.fields = Object.fromEntries(["x", "y", "p", "log"].map((n) => [n, player.root.querySelector(`[data-value=${n}]`)]));
    this.readout = player.root.querySelector(".readout");
    canvas.addEventListener("pointermove", (event) => this.move(event));
    canvas.addEventListener("pointerdown", (event) => this.down(event));
    canvas.addEventListener("pointerup", (event) => this.up(event));
    canvas.addEventListener("pointercancel", () => (this.drag = null));
    canvas.addEventListener("pointerleave", () => this.leave());
    canvas.addEventListener("blur", () => this.leave());
    canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
  }

  locate(event) {
    const box = this.canvas.getBoundingClientRect(), [x0, x1, y0, y1] = this.player.view;
    return [x0 + ((event.clientX - box.left) / box.width) * (x1 - x0), y1 - ((event.clientY - box.top) / box.height) * (y1 - y0)];
  }

  move(event) {
    if (!this.player.film) return;
    if (this.drag?.pan) this.pan(event);
    this.at = this.locate(event);
    if (this.drag && !this.drag.pan && this.player.options.pick) {
      this.player.mark = this.at;
      if (event.timeStamp - this.drag.sent > EVERY) {
        this.drag.sent = event.timeStamp;
        this.player.pick(this.at);
      }
    }
    this.player.clock.refresh();
  }

  down(event) {
    if (!this.player.film || event.button) return;
    const pan = event.shiftKey || (!this.player.options.pick && !this.canvas.dataset.whole);
    this.canvas.setPointerCapture(event.pointerId);
    this.drag = { pan, sent: event.timeStamp, from: this.locate(event) };
    this.move(event);
  }

  up(event) {
    if (this.drag && !this.drag.pan && this.player.options.pick) this.player.pick(this.locate(event));
    this.drag = null;
    if (event.pointerType === "touch") this.player.clock.refresh();
  }

  leave() {
    if (this.drag) return;
    this.at = null;
    this.player.clock.refresh();
  }

  pan(event) {
    const now = this.locate(event), { view } = this.player;
    this.look(view[0] + this.drag.from[0] - now[0], view[2] + this.drag.from[1] - now[1], view[1] - view[0], view[3] - view[2]);
  }

  /** Control + wheel, which is also what a pinch on a touchpad sends; the bare wheel scrolls the page. */
  wheel(event) {
    if (!event.ctrlKey || !this.player.film) return;
    event.preventDefault();
    const { extent } = this.player.film, [x0, x1, y0, y1] = this.player.view, [x, y] = this.locate(event);
    const whole = extent[1] - extent[0], wanted = (x1 - x0) * Math.exp(event.deltaY * 0.004);
    const factor = Math.min(Math.max(wanted, whole * CLOSEST), whole) / (x1 - x0);
    this.look(x - (x - x0) * factor, y - (y - y0) * factor, (x1 - x0) * factor, (y1 - y0) * factor);
    this.player.clock.refresh();
  }

  /** Show this window of the plane, kept inside it. */
  look(left, bottom, width, height) {
    const [x0, x1, y0, y1] = this.player.film.extent;
    const x = Math.min(Math.max(left, x0), x1 - width), y = Math.min(Math.max(bottom, y0), y1 - height);
    this.player.view = width >= x1 - x0 - 1e-9 ? [x0, x1, y0, y1] : [x, x + width, y, y + height];
    this.canvas.dataset.whole = width >= x1 - x0 - 1e-9 ? "true" : "";
  }

  /** The keyboard's pointer: shift + arrows. */
  nudge(key) {
    const [x0, x1, y0, y1] = this.player.view, step = (x1 - x0) / 40;
    const [x, y] = this.at ?? [(x0 + x1) / 2, (y0 + y1) / 2];
    const dx = { ArrowRight: step, ArrowLeft: -step }[key] ?? 0, dy = { ArrowUp: step, ArrowDown: -step }[key] ?? 0;
    this.at = [Math.min(Math.max(x + dx, x0), x1), Math.min(Math.max(y + dy, y0), y1)];
    this.player.mark = this.at;
    this.player.clock.refresh();
  }

  pickProbe() {
    if (this.at && this.player.options.pick) this.player.pick(this.at);
  }

  /** Fill the read-out line; as many decimals of ln p as the one byte carries. */
  read(index, density) {
    const { at, fields } = this;
    this.readout.dataset.empty = String(!at);
    if (!at) return;
    const { value, error, below } = density(...at), digits = error < 0.03 ? 2 : 1;
    fields.x.textContent = format(at[0], 2);
    fields.y.textContent = format(at[1], 2);
    fields.p.textContent = below ? "0.0000" : formatDensity(Math.exp(value));
    fields.log.textContent = below ? `< ${format(value, 0)}` : format(value, digits);
  }
}
