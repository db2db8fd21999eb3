// The page's colours and type, as a canvas needs them.

import { isDark } from "./playing.js";

const channels = (colour) =>
  colour.startsWith("#") ? [1, 3, 5].map((k) => parseInt(colour.slice(k, k + 2), 16)) : colour.match(/[\d.]+/g).slice(0, 3).map(Number);

const hex = (rgb) => `#${rgb.map((v) => Math.round(v).toString(16).padStart(2, "0")).join("")}`;

const mix = (one, other, share) => hex(channels(one).map((v, k) => share * v + (1 - share) * channels(other)[k]));

const word = (colour) => {
  const [r, g, b] = channels(colour);
  return (0xff000000 | (b << 16) | (g << 8) | r) >>> 0;
};

/** `options`: { classroom, hues: { light, dark } } from Python; `key` changes when any of it does. */
export function lookOf(root, { classroom, hues }) {
  const style = getComputedStyle(root), ink = hex(channels(style.color)), paper = hex(channels(style.backgroundColor));
  const night = isDark(style.backgroundColor), hue = hues[night ? "dark" : "light"], size = parseFloat(style.fontSize);
  root.dataset.theme = night ? "dark" : "light";
  for (const [name, colour] of Object.entries(hue)) root.style.setProperty(`--${name}`, colour);
  const [r, g, b] = channels(paper), family = style.fontFamily;
  return { ...hue, ink, paper, paperHex: paper, night, size, scale: classroom ? 1.3 : 1,
    faint: mix(ink, paper, 0.66), line: mix(ink, paper, 0.13), bars: mix(ink, paper, 0.42), haze: mix(ink, paper, night ? 0.32 : 0.26),
    veil: `rgb(${r} ${g} ${b} / .74)`, veilThin: `rgb(${r} ${g} ${b} / .5)`, gridLine: "rgb(128 128 128 / .55)",
    paperWord: word(paper), latentWord: word(hue.latent), small: `${size - 1}px ${family}`, strong: `600 ${size}px ${family}`,
    key: JSON.stringify([ink, paper, size, root.clientWidth]) };
}
