// The buttons of the browser: sorting, scales, views, and the tools that edit.

import { count, sketch } from "./draw.js";

export class Tools {
  constructor(root, browser) {
    this.browser = browser;
    this.find = (name) => root.querySelector(`.${name}`);
    this.root = root;
    const { editing } = browser;
    const actions = { undo: () => editing.undo(), reset: () => editing.reset(), drop: () => editing.drop(editing.brush),
      swap: () => browser.set(() => (editing.swapping = !editing.swapping)) };
    for (const [name, act] of Object.entries(actions)) this.find(name).addEventListener("click", act);
    for (const input of root.querySelectorAll(".segments input, .switch input"))
      input.addEventListener("change", () => browser.choose(input.name, input.type === "checkbox" ? input.checked : input.value));
  }

  /** Show what is chosen and what can be done. */
  reflect() {
    const { browser } = this, { editing, book } = browser, { brush } = editing;
    const chosen = { sort: browser.sort, shows: browser.strip.shows, view: browser.inspector.view, mode: editing.painting ? "paint" : "look" };
    for (const input of this.root.querySelectorAll(".segments input")) input.checked = input.value === chosen[input.name];
    this.find("switch").querySelector("input").checked = browser.log;
    this.find("tools").hidden = !browser.options.editable;
    this.root.dataset.painting = String(editing.painting);
    this.find("undo").disabled = this.find("reset").disabled = !editing.edits.length;
    this.find("swap").disabled = brush === null;
    this.find("drop").disabled = brush === null || editing.dropped.size >= book.codes - 1;
    this.find("swap").setAttribute("aria-pressed", String(editing.swapping));
    this.find("edits").textContent = editing.edits.length ? `${count(editing.edits.length)} ${editing.edits.length > 1 ? "edits" : "edit"}` : "";
    this.hint(brush);
  }

  hint(brush) {
    const { editing, book, look } = this.browser, side = 26 * look.scale;
    const swatch = this.find("swatch"), pen = sketch(swatch, side, side);
    swatch.hidden = brush === null;
    if (brush !== null) book.tiles.draw(pen, brush, 0, 0, side, side);
    this.find("hint").textContent = editing.swapping ? `Click the code to swap with ${brush}`
      : brush === null ? "Click a code to pin it; it is then the brush"
      : editing.painting ? `Paint with code ${brush} on the code map` : `Code ${brush} is pinned`;
  }
}
