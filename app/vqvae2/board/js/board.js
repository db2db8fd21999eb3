// A board on the page: it receives messages from Python, holds what the user chose, and draws its cells.

import { CellView } from "./cell.js";
import { Controls } from "./controls.js";
import { drawLines } from "./lines.js";
import { Lens3 } from "./lens3.js";
import { isDark, Playing, remember } from "./playing.js";
import { Pointing } from "./pointing.js";
import { sourcesOf } from "./sources.js";
import { Strip } from "./strip.js";
import { gunzip, unpack } from "./unpack.js";

const GAP = { plain: [16, 12], arrows: [40, 34], crossed: [6, 6] }; // between cells, across and down, CSS pixels
const BESIDE = 120; // the strip stands beside the cells where this much is left
const CRISP = 0.84; // a picture may lose a sixth of its room to become a whole multiple of its pixels
const KEYS = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };
const boards = (globalThis.dgmBoards ??= new Map()); // by digest, so that what was seen need not come again

class BoardPlayer extends Playing {
  constructor(root) {
    super(root);
    Object.assign(this, { look: {}, shown: new Set(), cells: [], mode: "colours", chosen: 0, peeked: null, drawn: null, placed: false });
    this.pointing = new Pointing(this);
    this.strip = new Strip(this.find("strip"), this);
    this.triple = new Lens3(this.find("triple"), this);
    this.controls = new Controls(root, this);
    this.queue = Promise.resolve();
    for (const input of root.querySelectorAll("input[name=mode]"))
      input.addEventListener("change", () => Object.assign(this, { mode: input.value }).paintAll());
    this.watch();
  }

  receive(bytes) {
    const message = bytes.slice();
    this.queue = this.queue.then(() => this.take(message)).catch((error) => console.error(error));
  }

  async take(bytes) {
    const { meta: options, arrays } = unpack(bytes);
    let view = boards.get(options.digest) ?? (this.options.digest === options.digest ? this.view : null);
    if (!view && arrays.board) view = sourcesOf(unpack(await gunzip(arrays.board.data)));
    if (!view) {
      this.send("want", options.digest, true);
      return;
    }
    remember(boards, options.digest, view);
    this.show(view, options);
  }

  show(view, options) {
    const before = this.options, first = !this.view, fresh = this.view !== view, wasAtEnd = this.atEnd;
    Object.assign(this, { view, options, film: { times: view.times ?? [0], digits: 0 }, drawn: null });
    if (fresh || before.item !== options.item) this.chosen = options.item;
    if (fresh) {
      this.placed = false;
      this.build();
    }
    this.setClock(before, first, wasAtEnd);
    if (fresh && !first && view.film) this.clock.seek(0);
    this.dress();
    this.readLook();
    this.find("bar").hidden = !view.film;
    this.controls.arrange([], options.ends, []);
    this.resize();
    this.strip.reflect(this.chosen);
    this.controls.reflect();
    this.begin(first);
    if (fresh && !first && view.film && options.autoplay) this.clock.play();
  }

  build() {
    const { view } = this, place = this.find("cells"), strip = this.find("strip");
    for (const cell of this.cells) cell.root.remove();
    this.cells = view.cells.map((told) => new CellView(place, told, this));
    const over = this.find("tools"), chooses = view.thumbnail !== null && view.items > 1;
    over.hidden = !view.maps.length;
    over.querySelector("label:last-child").hidden = view.under === null;
    if (view.under === null && this.mode === "over") this.mode = "colours";
    strip.hidden = !chooses;
    if (chooses) this.strip.build(view.items, [view.pictures[0].height, view.pictures[0].width]);
    this.pointing.leave();
  }

  readLook() {
    const { options, root } = this, hue = options.hues[this.night ? "dark" : "light"], style = getComputedStyle(root);
    this.look = { ...hue, ink: style.color, paper: style.backgroundColor, family: style.fontFamily, scale: options.classroom ? 1.3 : 1,
      small: `${parseFloat(style.fontSize) - 1}px ${style.fontFamily}`, night: isDark(style.backgroundColor) };
  }

  get gap() {
    const { plain, arrows, crossed } = GAP;
    return this.view.crossed ? crossed : this.view.arrows.length ? arrows : plain;
  }

  /** How large a cell's picture is, so that all rows and columns fit. */
  cellSize(room) {
    const { view, options, cells, gap } = this, { width, height } = view.pictures[0], most = (of) => 1 + Math.max(...cells.map(of));
    const [rows, columns] = [most(({ told }) => told.row), most(({ told }) => told.column)];
    const words = 21 * this.look.scale, lines = [0, 0]; // titles and captions, in lines
    for (let row = 0; row < rows; row++) {
      const here = cells.filter(({ told }) => told.row === row);
      lines[0] += here.some(({ told }) => told.title) ? 1 : 0;
      lines[0] += here.some(({ told }) => told.captions.length && !view.crossed) ? 1 : 0;
    }
    const wide = (room - (columns - 1) * gap[0]) / columns / width;
    const high = (options.height - lines[0] * words - (rows - 1) * gap[1]) / rows / height;
    const free = Math.max(Math.min(wide, high), 24 / Math.max(width, height)), whole = Math.floor(free);
    const scale = whole / free >= CRISP ? whole : free;
    return { width: Math.floor(width * scale), height: Math.floor(height * scale), columns };
  }

  resize() {
    const room = this.root.clientWidth;
    if (!this.view || !room) return; // nothing yet, or in a tab that is not shown
    const { root, view } = this, beside = (size) => size.columns * (size.width + this.gap[0]) - this.gap[0];
    const size = this.cellSize(room), across = beside(size), free = room - across - 28;
    const place = this.find("cells").style;
    root.dataset.strip = free >= BESIDE ? "beside" : "above";
    root.dataset.crossed = String(view.crossed);
    root.dataset.compact = String(room < 400);
    place.gridTemplateColumns = `repeat(${size.columns}, ${size.width}px)`;
    [place.columnGap, place.rowGap] = this.gap.map((width) => `${width}px`);
    root.style.setProperty("--stage", `${Math.min(room, Math.max(across, 420))}px`);
    root.style.setProperty("--cells", `${across}px`);
    root.style.setProperty("--strip", `${Math.min(free - 2, 320)}px`);
    this.triple.fit(free, view.pictures[0]);
    for (const cell of this.cells) cell.fit(size.width, size.height);
    this.placed = true;
    this.paintAll();
    const { height } = this.find("cells").getBoundingClientRect();
    root.style.setProperty("--tall", `${Math.round(height)}px`);
    requestAnimationFrame(() => drawLines(this.find("lines"), this.find("cells"), view.arrows, this.cells));
  }

  get item() { return this.view.film ? Math.min(Math.round(this.index), this.view.items - 1) : this.peeked ?? this.chosen; }

  choose(index) {
    Object.assign(this, { chosen: index, peeked: null });
    this.strip.reflect(index);
    this.paintAll();
    this.send("item", { digest: this.options.digest, index });
  }

  peek(index) {
    this.peeked = index;
    this.paintAll();
  }

  paintAll() {
    this.drawn = null;
    this.draw();
  }

  draw() {
    if (!this.placed || !this.visible) return; // without room nothing has its place yet
    const { item, view } = this;
    if (this.drawn !== item) {
      for (const cell of this.cells) cell.draw(item);
      this.drawn = item;
      this.root.dataset.item = String(item);
      this.paintMarks();
    }
    if (view.film) this.controls.follow(this.clock.index, this.clock.last, this.timeText());
  }

  paintMarks() {
    if (!this.placed) return;
    const { item } = this, words = this.pointing.words(item), reading = this.find("reading");
    for (const cell of this.cells) cell.light(this.pointing.marks(cell, item));
    this.triple.draw(this.pointing.cell);
    reading.dataset.empty = String(!words);
    reading.textContent = words || this.hint;
  }

  get hint() {
    if (this.view.crossed) return "Point at a picture: its row and its column say what it is made of.";
    return "Point at a place: it lights up in every picture and on every level.";
  }

  moveProbe(key) { this.pointing.nudge(KEYS[key]); }

  pickProbe() {}

  unzoom() {}

  describe() {
    if (!this.view) return;
    const where = this.view.film ? ` Shown: ${this.options.time_label} ${this.timeText()}.` : ` Shown: image ${this.item + 1}.`;
    this.find("cells").setAttribute("aria-label", this.options.alt + where);
    this.controls.say(this.pointing.words(this.item) || this.timeText());
  }
}

const players = new WeakMap();

/** Streamlit calls this at every new message and every change of theme, on the same element. */
export default function mount({ data, parentElement, setStateValue, setTriggerValue }) {
  const root = parentElement.querySelector(".board-root");
  let player = players.get(root);
  if (!player) players.set(root, (player = new BoardPlayer(root)));
  Object.assign(player, { setStateValue, setTriggerValue });
  player.receive(data);
  return () => {
    player.destroy();
    players.delete(root);
  };
}
