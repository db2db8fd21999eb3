// The colour scale beside the picture. Its labels stand still while the film plays.

import { css, ramp } from "./density.js";

/** At most `most` round numbers in [low, high]: steps of 1, 2 or 5 times a power of ten. */
export function roundTicks(low, high, most) {
  const rough = (high - low) / most, power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((m) => m * power >= rough * (1 - 1e-9)) ?? 10);
  const ticks = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k++) ticks.push(k * step);
  return { ticks, digits: Math.max(0, -Math.floor(Math.log10(step) + 1e-9)) };
}

const number = (value, digits) => value.toFixed(digits).replace("-", "−");

/** What the scale is called, and its ticks as [share of its height, label]. */
export function legendOf(film, look) {
  const frame = look.normalise === "frame";
  if (look.scale === "log") {
    const top = frame ? 0 : film.peak, { ticks, digits } = roundTicks(top - look.range, top, 6);
    const share = (tick) => 1 + (tick - top) / look.range;
    return { name: frame ? "ln p − max" : "ln p", ticks: ticks.map((t) => [share(t), number(t, digits)]) };
  }
  const top = frame ? 1 : Math.exp(film.peak), { ticks, digits } = roundTicks(0, top, 6);
  const label = (t) => (digits > 4 || top >= 1e5 ? t.toExponential(0) : number(t, digits));
  return { name: frame ? "p / max" : "p", ticks: ticks.map((t) => [t / top, label(t)]) };
}

/** Draw it into its element. */
export function drawLegend(element, film, look) {
  const { name, ticks } = legendOf(film, look), colours = ramp(look.colours), stops = [];
  for (let k = 0; k <= 24; k++) stops.push(css(colours[Math.round((k / 24) * (colours.length - 1))]));
  element.querySelector(".legend-name").textContent = name;
  element.querySelector(".legend-ramp").style.background = `linear-gradient(to top, ${stops.join(", ")})`;
  element.querySelector(".legend-ticks").replaceChildren(...ticks.map(([share, label]) => {
    const tick = document.createElement("span");
    tick.style.bottom = `${100 * share}%`;
    tick.textContent = label;
    return tick;
  }));
}
