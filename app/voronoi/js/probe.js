// Pointing at an output or a code: what it is, and how far from what.

import { short } from "./curve.js";
import { nearestTwo } from "./geometry.js";

const POINT = 12, CODE = 14; // CSS pixels within which something is pointed at
const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
const text = (x, y) => `(${[x, y].map((v) => v.toFixed(2).replace("-", "−")).join(", ")})`;

export class Probe {
  constructor(canvas, player) {
    Object.assign(this, { canvas, player, at: null, held: null }); // { code } or { point }: pointed at, and clicked
    canvas.addEventListener("pointermove", (event) => this.set("at", this.find(event)));
    canvas.addEventListener("pointerdown", (event) => this.set("at", this.find(event)));
    canvas.addEventListener("pointerleave", () => this.set("at", null));
    canvas.addEventListener("click", (event) => this.hold(this.find(event)));
    canvas.addEventListener("keydown", (event) => event.key === "Escape" && this.hold(null));
  }

  set(name, what) {
    this[name] = what;
    this.player.clock.refresh();
  }

  hold(what) {
    this.set("held", JSON.stringify(what) === JSON.stringify(this.held) ? null : what);
    if (this.held) this.player.picked(this.chosen());
    this.player.describe();
  }

  /** The keyboard's pointer: shift + arrows go from point to point. */
  step(key) {
    const { number } = this.player.film, from = this.held?.point ?? -1;
    this.hold({ point: (from + STEPS[key] + number) % number });
  }

  find(event) {
    const { player: { moment, scene } } = this, box = this.canvas.getBoundingClientRect();
    if (!moment?.cells) return null;
    const [px, py] = [event.clientX - box.left, event.clientY - box.top];
    const near = (places, reach) => {
      let best = null, least = reach * reach;
      for (let i = 0; i < places.length; i += 2) {
        const distance = (scene.x(places[i]) - px) ** 2 + (scene.y(places[i + 1]) - py) ** 2;
        if (distance < least) [best, least] = [i / 2, distance];
      }
      return best;
    };
    const code = near(moment.codes, CODE), point = code === null ? near(moment.outputs, POINT) : null;
    if (code !== null) return { code };
    if (point !== null) return { point };
    const { extent } = moment.film, x = extent[0] + (px / scene.edge) * (extent[1] - extent[0]), y = extent[3] - (py / scene.edge) * (extent[3] - extent[2]);
    return { code: nearestTwo(moment.codes, x, y).first };
  }

  /** What is pointed at now, else what was clicked: { code, point, second, d1, d2 }. */
  chosen() {
    const what = this.at ?? this.held, { moment } = this.player;
    if (!what || !moment?.cells) return { code: null, point: null };
    if (what.point === undefined) return { code: what.code, point: null };
    const { outputs, codes, chosen, film } = moment, i = what.point;
    if (i >= film.number) return { code: null, point: null };
    const near = nearestTwo(codes, outputs[2 * i], outputs[2 * i + 1]), code = chosen[i];
    const distance = Math.hypot(codes[2 * code] - outputs[2 * i], codes[2 * code + 1] - outputs[2 * i + 1]);
    const second = near.first === code ? near.second : near.first;
    return { code, point: i, second, d1: distance, d2: near.first === code ? near.d2 : near.d1 };
  }

  words({ code, point, second, d1, d2 }) {
    if (code === null || code === undefined) return "";
    const { moment: { codes, outputs, held, film }, } = this.player;
    if (point === null) {
      const place = `Code ${code} at ${text(codes[2 * code], codes[2 * code + 1])}`;
      return held[code] ? `${place} holds ${held[code]} of ${film.number} outputs` : `${place} is dead: no output is nearest to it`;
    }
    const { data: x } = film.points, z = film.encoder ? `, z = ${text(outputs[2 * point], outputs[2 * point + 1])}` : "";
    const other = second >= 0 ? `; second nearest code ${second} at ${short(d2)}` : "";
    return `Point ${point}, x = ${text(x[2 * point], x[2 * point + 1])}${z}: code ${code} at distance ${short(d1)}${other}`;
  }
}
