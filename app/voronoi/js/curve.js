// The distances over the steps beside the best that k-means finds; pressing on it goes to that step.

export class Curve {
  constructor(canvas, player) {
    Object.assign(this, { canvas, player });
    const seek = (event) => player.scrub(this.indexAt(event));
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      canvas.setPointerCapture(event.pointerId);
      this.held = true;
      seek(event);
    });
    canvas.addEventListener("pointermove", (event) => this.held && seek(event));
    for (const type of ["pointerup", "pointercancel"]) canvas.addEventListener(type, () => {
      if (this.held) player.settled();
      this.held = false;
    });
  }

  resize(width, height) {
    this.ratio = Math.min(globalThis.devicePixelRatio || 1, 2);
    Object.assign(this, { width, height });
    Object.assign(this.canvas, { width: Math.round(width * this.ratio), height: Math.round(height * this.ratio) });
    Object.assign(this.canvas.style, { width: `${width}px`, height: `${height}px` });
  }

  indexAt(event) {
    const { times } = this.player.film, share = (event.clientX - this.canvas.getBoundingClientRect().left - this.left) / (this.width - this.left - 8);
    const step = times[0] + Math.min(Math.max(share, 0), 1) * (times.at(-1) - times[0]);
    let near = 0;
    times.forEach((time, k) => Math.abs(time - step) < Math.abs(times[near] - step) && (near = k));
    return near;
  }

  draw(moment, step, look) {
    const { film } = moment, { data } = film.distortion, missed = film.reconstruction?.data, floor = film.kmeans_distortion, pen = this.canvas.getContext("2d");
    pen.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    pen.clearRect(0, 0, this.width, this.height);
    const scale = this.scale([...data, ...(missed ?? []), floor ?? NaN], look.curve === "log");
    pen.font = look.font;
    this.left = Math.ceil(Math.max(...scale.ticks.map((v) => pen.measureText(short(v)).width))) + 8;
    const bottom = this.height - look.size - 8, wide = this.width - this.left - 8, last = film.times.at(-1), first = film.times[0];
    const x = (t) => this.left + (last > first ? (t - first) / (last - first) : 0) * wide, y = (v) => bottom - Math.min(Math.max(scale.share(v), 0), 1) * (bottom - 6);
    this.axes(pen, look, { x, y, bottom, ticks: scale.ticks, first, last });
    pen.lineJoin = "round";
    if (floor !== null) this.floor(pen, look, y(floor));
    if (missed) this.line(pen, moment, "reconstruction", step, x, y, look.points, look);
    this.line(pen, moment, "distortion", step, x, y, film.encoder ? look.outputs : look.points, look);
  }

  /** All of a curve faintly, what has been played strongly, and a dot where it stands. */
  line(pen, moment, name, step, x, y, colour, look) {
    const { film: { times, [name]: { data } }, index } = moment, now = moment.value(name);
    pen.globalAlpha = 0.4;
    this.path(pen, times, data, times.length, x, y, colour, 1.4);
    pen.globalAlpha = 1;
    this.path(pen, times, data, Math.min(Math.floor(index + 1e-9) + 1, data.length), x, y, colour, 2.4, [step, now]);
    if (!Number.isFinite(now)) return;
    pen.beginPath();
    pen.arc(x(step), y(now), 4.5, 0, 7);
    pen.fillStyle = colour;
    pen.fill();
    pen.lineWidth = 2;
    pen.strokeStyle = look.paper;
    pen.stroke();
  }

  /** Where a value stands, as a share of the height, and which values are named. */
  scale(values, log) {
    const all = values.filter((v) => Number.isFinite(v) && (!log || v > 0)), most = Math.max(...all, 1e-12) * 1.06;
    if (!log) return { share: (v) => v / most, ticks: [0, most / 2.12, most / 1.06] };
    const least = Math.min(...all, most) * 0.8, span = Math.log(most / least) || 1;
    return { share: (v) => Math.log(Math.max(v, least) / least) / span, ticks: [least / 0.8, Math.sqrt((least / 0.8) * (most / 1.06)), most / 1.06] };
  }

  axes(pen, look, { x, y, bottom, ticks, first, last }) {
    pen.fillStyle = look.line;
    pen.fillRect(this.left, bottom, this.width - this.left, 1);
    pen.fillStyle = look.faint;
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    for (const tick of ticks) pen.fillText(short(tick), this.left - 6, y(tick));
    pen.textBaseline = "top";
    pen.fillText(last.toLocaleString("en"), x(last) + 8, bottom + 6);
    pen.textAlign = "left";
    pen.fillText(`step ${first.toLocaleString("en")}`, this.left, bottom + 6);
  }

  path(pen, times, data, count, x, y, colour, width, end = null) {
    pen.beginPath();
    for (let t = 0; t < count; t++) if (Number.isFinite(data[t])) pen.lineTo(x(times[t]), y(data[t]));
    if (end && Number.isFinite(end[1])) pen.lineTo(x(end[0]), y(end[1]));
    pen.strokeStyle = colour;
    pen.lineWidth = width;
    pen.stroke();
  }

  floor(pen, look, y) {
    pen.setLineDash([5, 4]);
    pen.strokeStyle = look.kmeans;
    pen.lineWidth = 1.8;
    pen.beginPath();
    pen.moveTo(this.left, y);
    pen.lineTo(this.width, y);
    pen.stroke();
    pen.setLineDash([]);
  }
}

/** A number in three figures. */
export const short = (value) => (!Number.isFinite(value) ? "–" : value === 0 ? "0" : value >= 1000 || value < 0.001 ? value.toExponential(1).replace("-", "−") : String(Number(value.toPrecision(3))));
