// The slider of τ with its scale and read-out.

import { shareOf, stepTau, tauAt } from "./concrete.js";
import { figures, write } from "./side.js";

const TICKS = [[0, "argmax"], [0.1, "0.1"], [0.5, "½"], [1, "1"], [2, "2"], [5, "5"], [20, "20"]];

export class Temperature {
  constructor(root, stage) {
    this.slider = root.querySelector(".tau");
    this.reading = root.querySelector(".reading b");
    this.stage = stage;
    this.held = false;
    this.slider.addEventListener("input", () => this.set(tauAt(Number(this.slider.value))));
    this.slider.addEventListener("pointerdown", () => (this.held = true));
    for (const type of ["pointerup", "pointercancel", "change"]) this.slider.addEventListener(type, () => this.release());
    this.slider.addEventListener("keydown", (event) => this.key(event));
    root.querySelector(".ticks").replaceChildren(...TICKS.map(([value, text]) => {
      const tick = document.createElement("span");
      tick.style.setProperty("--share", shareOf(value));
      tick.textContent = text;
      return tick;
    }));
  }

  set(tau) {
    this.stage.annealing.pause();
    this.stage.state.tau = Number(tau.toPrecision(4));
    if (!this.held) this.stage.later();
    this.stage.changed();
  }

  release() {
    if (!this.held) return;
    this.held = false;
    this.stage.settled();
  }

  key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const { tau } = this.stage.state, step = (by, large) => stepTau(tau, by, large || event.shiftKey);
    const next = { ArrowRight: () => step(1), ArrowUp: () => step(1), ArrowLeft: () => step(-1), ArrowDown: () => step(-1),
      PageUp: () => step(1, true), PageDown: () => step(-1, true), Home: () => 0, End: () => tauAt(1) }[event.key];
    if (!next) return;
    event.preventDefault();
    this.set(next());
  }

  /** Show τ; a knob that is held stays under the finger. */
  reflect(tau) {
    const share = shareOf(tau), text = tau === 0 ? "0" : figures(tau);
    if (!this.held) this.slider.value = share;
    this.slider.style.setProperty("--share", share);
    this.slider.setAttribute("aria-valuetext", tau === 0 ? "0, argmax" : text);
    write(this.reading, text);
  }
}
