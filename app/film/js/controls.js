// Buttons, slider, chips and settings: from the page to the clock and back.

import { SPEEDS } from "./clock.js";

const SPEED_NAMES = { 0.25: "×¼", 0.5: "×½", 1: "×1", 2: "×2", 4: "×4" };

const way = (from, to) => `${from[0].toUpperCase()}${from.slice(1)} → ${to}`;

/** How the clock can be set. */
const clockSettings = (ends) => [
  { name: "speed", of: "clock", title: "Speed", choices: SPEEDS.map((s) => [s, SPEED_NAMES[s]]) },
  { name: "loop", of: "clock", title: "Repeat", choices: [["once", "Once"], ["loop", "Loop"], ["ping-pong", "To and fro"]] },
  { name: "direction", of: "clock", title: "Direction",
    choices: [[1, way(ends[0], ends[1])], [-1, way(ends[1], ends[0])]] },
];

/** How a density can be coloured; `of` says where the value lives. */
export const LOOK_SETTINGS = [
  { name: "scale", of: "look", title: "Colour scale", choices: [["linear", "Linear"], ["log", "Logarithmic"]] },
  { name: "normalise", of: "look", title: "Brightest at", choices: [["frame", "Peak of frame"], ["global", "Peak of film"]] },
  { name: "colours", of: "look", title: "Colours",
    choices: ["viridis", "magma", "inferno", "cividis"].map((c) => [c, c[0].toUpperCase() + c.slice(1)]) },
];

/** Fill a container only when what it should hold has changed, so that focus stays. */
function rebuild(container, signature, make) {
  if (container.dataset.holds === signature) return;
  container.dataset.holds = signature;
  container.replaceChildren(...make());
}

export function segmented({ name, title, choices }, choose) {
  const group = document.createElement("fieldset"), legend = document.createElement("legend");
  const row = document.createElement("div");
  legend.textContent = title;
  row.className = "segments";
  for (const [value, text] of choices) {
    const label = document.createElement("label"), input = document.createElement("input");
    const face = document.createElement("span");
    Object.assign(input, { type: "radio", name, value: String(value) });
    input.addEventListener("change", () => choose(value));
    face.textContent = text;
    label.append(input, face);
    row.append(label);
  }
  group.append(legend, row);
  return group;
}

export class Controls {
  constructor(root, player) {
    this.root = root;
    this.player = player;
    const find = (name) => root.querySelector(`.${name}`);
    this.play = find("play");
    this.scrub = find("scrub");
    this.time = find("time");
    this.more = find("more");
    this.panel = find("settings");
    this.chips = find("layers");
    this.live = find("live");
    this.play.addEventListener("click", () => player.clock.toggle());
    find("back").addEventListener("click", () => player.clock.step(-1));
    find("forward").addEventListener("click", () => player.clock.step(1));
    this.more.addEventListener("click", () => this.open(this.panel.hidden));
    this.scrub.addEventListener("input", () => player.scrub(Number(this.scrub.value)));
    this.scrub.addEventListener("change", () => player.settled());
    root.addEventListener("keydown", (event) => this.key(event));
  }

  open(open) {
    this.panel.hidden = !open;
    this.more.setAttribute("aria-expanded", String(open));
  }

  key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const { player } = this, { clock } = player, target = event.composedPath()[0];
    const radio = target.type === "radio", button = target.tagName === "BUTTON" || target.type === "checkbox";
    const actions = {
      " ": () => clock.toggle(),
      ArrowRight: () => clock.step(1), ArrowUp: () => clock.step(1),
      ArrowLeft: () => clock.step(-1), ArrowDown: () => clock.step(-1),
      Home: () => player.scrub(0), End: () => player.scrub(clock.last),
      "+": () => clock.faster(1), "=": () => clock.faster(1), "-": () => clock.faster(-1),
      0: () => player.unzoom(),
      Enter: () => player.pickProbe(),
    };
    if (event.shiftKey && event.key.startsWith("Arrow") && !radio) player.moveProbe(event.key);
    else if (!actions[event.key] || radio || (button && (event.key === " " || event.key === "Enter"))) return;
    else actions[event.key]();
    event.preventDefault();
    if (!event.key.match(/^[ 0+=-]$|Enter/) && !event.shiftKey) player.settled();
  }

  /** Rebuild what depends on the film and its options; `looks`: what can be set beside the clock. */
  arrange(layers, ends, looks) {
    rebuild(this.chips, JSON.stringify(layers), () => layers.map(([name, text]) => {
      const label = document.createElement("label"), input = document.createElement("input");
      const face = document.createElement("span");
      Object.assign(input, { type: "checkbox", value: name });
      input.addEventListener("change", () => this.player.choose(name, input.checked));
      face.textContent = text;
      label.append(input, face);
      return label;
    }));
    rebuild(this.panel, JSON.stringify(ends), () => [...clockSettings(ends), ...looks].map((setting) =>
      segmented(setting, (value) => {
        if (setting.of === "clock") this.player.clock.set(setting.name, value);
        else this.player.choose(setting.name, value);
      })));
  }

  /** Show the state of the clock and of the choices. */
  reflect() {
    const { clock, look, shown } = this.player;
    this.root.dataset.playing = String(clock.playing);
    this.play.setAttribute("aria-label", clock.playing ? "Pause" : "Play");
    this.play.title = clock.playing ? "Pause (space)" : "Play (space)";
    for (const button of this.root.querySelectorAll(".bar button:not(.more)")) button.disabled = clock.last < 1;
    this.scrub.disabled = clock.last < 1;
    for (const input of this.panel.querySelectorAll("input")) {
      const value = input.name in look ? look[input.name] : clock[input.name];
      input.checked = String(value) === input.value;
    }
    for (const input of this.chips.querySelectorAll("input")) input.checked = shown.has(input.value);
  }

  /** Slider and time; called at every frame drawn. */
  follow(index, last, text) {
    if (this.scrub.max !== String(last)) this.scrub.max = String(last);
    this.scrub.value = index;
    this.scrub.style.setProperty("--share", last ? index / last : 0);
    if (this.time.textContent !== text) this.time.textContent = text;
  }

  /** Tell those who do not see the picture what it shows now. */
  say(text) {
    this.scrub.setAttribute("aria-valuetext", text);
    if (this.live.textContent !== text) this.live.textContent = text;
  }
}
