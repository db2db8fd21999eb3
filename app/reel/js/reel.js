// One reel on the page: it receives messages from Python, holds what the user chose, and draws.

import { Controls } from "./controls.js";
import { extend, nearestFrame } from "./frames.js";
import { Lens } from "./lens.js";
import { Playing, remember } from "./playing.js";
import { Sheet } from "./sheet.js";
import { gunzip, unpack } from "./unpack.js";

const PANEL = 264; // where this much is left beside the pictures, the settings stand there
const COMPACT = 400; // narrower than that, the slider has a line of its own
const BAR = 420; // the controls' least width, where there is room
const LABELS = 0.2; // of the room: where the rows' names would take more, each stands above its row
const BAND = 1.75; // height of a name above its row, in sizes of its letters
const reels = (globalThis.dgmReels ??= new Map()); // by digest, so that what was seen need not come again

class ReelPlayer extends Playing {
  constructor(root) {
    super(root);
    this.look = {};
    this.shown = new Set();
    this.sheet = new Sheet(this.find("stage"));
    this.controls = new Controls(root, this);
    this.lens = new Lens(this);
    this.queue = Promise.resolve();
    this.watch();
  }

  /** Messages are taken one after the other: each may say only what is new since the one before. */
  receive(bytes) {
    const message = bytes.slice();
    this.queue = this.queue.then(() => this.take(message)).catch((error) => console.error(error));
  }

  async take(bytes) {
    const { meta: options, arrays } = unpack(bytes), held = (digest) => reels.get(digest) ??
      (this.options.digest === digest ? this.film : null);
    let film = held(options.digest);
    const base = options.base === null ? null : held(options.base);
    if (!film && arrays.reel && (base || options.base === null))
      film = extend(base, unpack(await gunzip(arrays.reel.data)).arrays);
    if (film && base && base !== film) reels.delete(options.base); // a reel that grows takes one place
    if (!film) {
      this.send("want", options.digest, true);
      return;
    }
    remember(reels, options.digest, film);
    this.show(film, options);
  }

  show(film, options) {
    const before = this.options, first = !this.film, wasAtEnd = this.atEnd;
    Object.assign(this, { film, options, painted: null, placed: false });
    this.setClock(before, first, wasAtEnd);
    this.dress();
    this.find("note").textContent = options.note;
    this.find("note").hidden = !options.note;
    this.find("stage").style.cursor = options.pick ? "pointer" : "default";
    this.root.style.setProperty("--mark", options.mark[this.night ? "dark" : "light"]);
    this.controls.arrange([], options.ends, []);
    this.resize();
    this.controls.reflect();
    this.describe();
    this.begin(first);
  }

  /** The names of rows and columns, each at its image. */
  label() {
    const { row_labels: rows, column_labels: columns } = this.options;
    const fill = (element, names, place) => element.replaceChildren(...names.map((name, k) => {
      const label = document.createElement("span");
      label.textContent = label.title = name;
      Object.assign(label.style, place(k));
      return label;
    }));
    fill(this.find("rows"), rows, (k) => {
      const { top, height } = this.sheet.box([k, 0]), band = this.sheet.grid.band / this.sheet.ratio;
      return { top: `${top - band}px`, height: `${band || height}px` };
    });
    fill(this.find("columns"), columns, (k) => {
      const { left, width } = this.sheet.box([0, k]);
      return { left: `${left}px`, width: `${width}px` };
    });
  }

  /** The room for the rows' names: beside their rows { margin } or above them { band }. */
  aside(room) {
    const { row_labels: rows } = this.options, ruler = this.find("corner");
    const widest = Math.max(0, ...rows.map((name) => ((ruler.textContent = name), ruler.getBoundingClientRect().width)));
    const margin = rows.length ? Math.ceil(widest) + 12 : 0;
    ruler.textContent = "";
    if (margin <= LABELS * room) return { margin, band: 0 };
    return { margin: 0, band: BAND * parseFloat(getComputedStyle(ruler).fontSize) };
  }

  resize() {
    const room = this.root.clientWidth;
    if (!this.film || !room) return; // nothing yet, or in a tab that is not shown
    const { options, root } = this, { margin, band } = this.aside(room), ratio = globalThis.devicePixelRatio || 1;
    this.sheet.resize(options.shape, options.colour, room - margin, options.height, band, ratio);
    const board = margin + this.sheet.grid.width / ratio, stage = Math.min(room, Math.max(Math.ceil(board), BAR));
    root.style.setProperty("--margin", `${margin}px`);
    root.style.setProperty("--stage", `${stage}px`);
    root.dataset.wide = String(room >= stage + PANEL);
    root.dataset.compact = String(stage < COMPACT);
    root.dataset.named = String(options.column_labels.length > 0);
    root.dataset.stacked = String(band > 0);
    this.label();
    Object.assign(this, { painted: null, placed: true });
    this.paint();
  }

  moveProbe(key) { this.lens.nudge(key); }

  pickProbe() { this.lens.pick(); }

  unzoom() {}

  pick([row, column]) {
    this.send("cell", { row, column, t: this.times[this.frame] });
    this.describe();
  }

  /** The frame shown: whole frames only, for what lies between two was never computed. */
  get frame() { return nearestFrame(this.index); }

  /** The text alternative: what is shown, and when. */
  describe() {
    if (!this.film) return;
    const { options, lens } = this, frame = this.frame;
    const now = `${options.time_label} = ${this.timeText(frame)}, frame ${frame + 1} of ${this.times.length}`;
    this.find("stage").setAttribute("aria-label", `${options.alt} Shown: ${now}.`);
    if (!this.clock.playing) this.controls.say(lens.at ? `${lens.fullName(lens.at)}; ${now}` : now);
  }

  draw() {
    if (this.placed && this.visible) this.paint(); // without room nothing has its place yet
  }

  paint() {
    const { frame } = this, text = this.timeText(frame);
    if (this.painted !== frame) this.sheet.paint(this.film.frames[frame]);
    this.painted = frame;
    this.controls.follow(this.clock.index, this.clock.last, text);
    this.root.dataset.frame = String(frame);
    this.lens.draw(text);
  }
}

const players = new WeakMap();

/** Streamlit calls this at every new message and every change of theme, on the same element. */
export default function mount({ data, parentElement, setStateValue, setTriggerValue }) {
  const root = parentElement.querySelector(".reel");
  let player = players.get(root);
  if (!player) players.set(root, (player = new ReelPlayer(root)));
  Object.assign(player, { setStateValue, setTriggerValue });
  player.receive(data);
  return () => {
    player.destroy();
    players.delete(root);
  };
}
