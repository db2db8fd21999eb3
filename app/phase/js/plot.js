// A plot beside the plane: a few lines, and a mark where the clock or the knob stands.

import { indexOf } from "./clock.js";

/** A number in three figures. */
export const brief = (value) => {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  return (value === 0 ? "0" : size >= 10000 || size < 0.001 ? value.toExponential(1).replace("e+", "e") : String(Number(value.toPrecision(3)))).replaceAll("-", "−");
};

export class PhasePlot {
  constructor(plot) {
    this.plot = plot;
    this.element = document.createElement("div");
    const title = document.createElement("h4"), list = document.createElement("ul");
    this.canvas = document.createElement("canvas");
    this.canvas.setAttribute("aria-hidden", "true");
    title.textContent = plot.title;
    this.values = plot.series.map((series) => {
      const item = document.createElement("li"), line = document.createElement("i"), value = document.createElement("b");
      line.dataset.colour = series.colour;
      item.append(line, `${series.name} `, value);
      list.append(item);
      return { line, value };
    });
    this.element.append(title, this.canvas, list);
  }

  resize(width, height) {
    this.ratio = Math.min(globalThis.devicePixelRatio || 1, 2);
    Object.assign(this, { width, height });
    Object.assign(this.canvas, { width: Math.round(width * this.ratio), height: Math.round(height * this.ratio) });
    Object.assign(this.canvas.style, { width: `${width}px`, height: `${height}px` });
  }

  /** The axes' ends: of finite values, of positive ones on a logarithmic scale. */
  reach(values, log) {
    let [low, high] = [Infinity, -Infinity];
    for (const value of values)
      if (Number.isFinite(value) && (!log || value > 0)) [low, high] = [Math.min(low, value), Math.max(high, value)];
    if (!(low <= high)) return log ? [0.1, 1] : [0, 1];
    if (low === high) return log ? [low / 2, high * 2] : [low - 0.5, high + 0.5];
    return log ? [low, high] : [low - 0.04 * (high - low), high + 0.04 * (high - low)];
  }

  /** `index`: fractional, where the mark stands. */
  draw(index, look) {
    const { plot, width, height } = this, pen = this.canvas.getContext("2d"), { log } = plot;
    pen.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    const [x0, x1] = log ? this.reach(plot.x, true) : [plot.x[0], plot.x.at(-1) > plot.x[0] ? plot.x.at(-1) : plot.x[0] + 1], [y0, y1] = this.reach(plot.series.flatMap((series) => [...series.values]), log), turn = log ? Math.log : (v) => v;
    pen.font = look.font;
    const left = Math.ceil(Math.max(pen.measureText(brief(y0)).width, pen.measureText(brief(y1)).width)) + 8, bottom = height - look.size - 8;
    const x = (v) => left + ((turn(v) - turn(x0)) / (turn(x1) - turn(x0))) * (width - left - 8), y = (v) => bottom - ((turn(v) - turn(y0)) / (turn(y1) - turn(y0))) * (bottom - 8);
    this.axes(pen, look, { left, bottom, x, y, x0, x1, y0, y1 });
    plot.series.forEach((series, k) => this.line(pen, series, this.values[k], index, { x, y, log }, look));
  }

  axes(pen, look, { left, bottom, x, y, x0, x1, y0, y1 }) {
    const { width, plot } = this;
    pen.fillStyle = look.rule;
    pen.fillRect(left, bottom, width - left, 1);
    if (y0 < 0 && y1 > 0 && !plot.log) pen.fillRect(left, y(0), width - left, 1);
    Object.assign(pen, { fillStyle: look.faint, textAlign: "right", textBaseline: "middle" });
    for (const tick of [y0, y1]) pen.fillText(brief(tick), left - 6, Math.min(y(tick), bottom - 4));
    pen.textBaseline = "top";
    pen.fillText(`${plot.x_name} = ${brief(plot.x.at(-1))}`, x(x1) + 8, bottom + 6);
    pen.textAlign = "left";
    pen.fillText(brief(x0), left, bottom + 6);
  }

  line(pen, { values, colour }, { line, value }, index, { x, y, log }, look) {
    const { plot } = this, drawn = (k) => Number.isFinite(values[k]) && (!log || values[k] > 0);
    const stroke = (to, width, opacity) => {
      pen.beginPath();
      let down = false;
      for (let k = 0; k <= to; k++) {
        if (drawn(k)) pen[down ? "lineTo" : "moveTo"](x(plot.x[k]), y(values[k]));
        down = drawn(k);
      }
      Object.assign(pen, { globalAlpha: opacity, lineWidth: width, strokeStyle: look[colour], lineJoin: "round" });
      pen.stroke();
      pen.globalAlpha = 1;
    };
    stroke(values.length - 1, 1.5, plot.over === "knob" ? 0.9 : 0.35);
    if (plot.over === "time") stroke(Math.floor(index + 1e-9), 2.4, 1);
    const low = Math.floor(index), high = Math.min(low + 1, values.length - 1), mix = (data) => data[low] + (index - low) * (data[high] - data[low]), now = mix(values);
    line.style.color = look[colour];
    const text = brief(now);
    if (value.textContent !== text) value.textContent = text;
    if (!Number.isFinite(now) || (log && now <= 0)) return;
    pen.beginPath();
    pen.arc(x(mix(plot.x)), y(now), look.bold ? 6 : 4.5, 0, 7);
    Object.assign(pen, { fillStyle: look[colour], strokeStyle: look.paper, lineWidth: 2 });
    pen.fill();
    pen.stroke();
  }
}

/** Where a time stands among a plot's rows. */
export const rowOf = (plot, times, time) => Math.min(indexOf(times, time), plot.length - 1);
