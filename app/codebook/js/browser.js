// The codebook browser: what is pointed at, pinned and edited, and every panel that shows it.

import { Index, readBook } from "./book.js";
import { count } from "./draw.js";
import { Detail } from "./detail.js";
import { Editing } from "./editing.js";
import { Inspector } from "./inspector.js";
import { isDark, remember } from "./playing.js";
import { Projection } from "./projection.js";
import { Strip } from "./strip.js";
import { Tiles } from "./tiles.js";
import { Tools } from "./tools.js";
import { unpack } from "./unpack.js";
import { Usage } from "./usage.js";
import { Wall } from "./wall.js";
import { lookOf } from "./look.js";

const books = (globalThis.dgmCodebooks ??= new Map()); // by digest, so that what was seen need not come again
const WIDE = 900, MIDDLE = 600, LOW = 260; // CSS pixels

class CodebookBrowser {
  constructor(root) {
    this.root = root;
    this.find = (name) => root.querySelector(`.${name}`);
    Object.assign(this, { options: {}, sort: "usage", log: false, hover: null, cell: null, looked: 0, over: null });
    this.pinned = { code: null, image: null };
    this.queue = Promise.resolve();
    this.tick = this.tick.bind(this);
    this.editing = new Editing(this);
    this.tiles = new Tiles(this.find("tiles"), this);
    this.usage = new Usage(this.find("bars"), this);
    this.projection = new Projection(this.find("cloud"), this);
    this.strip = new Strip(this.find("strip"), this);
    this.wall = new Wall(this.find("wall"), this);
    this.detail = new Detail(this.find("detail"), this);
    this.inspector = new Inspector(this.find("inspector"), this);
    this.tools = new Tools(root, this);
    this.panels = [this.tiles, this.usage, this.projection, this.strip, this.wall, this.inspector];
    root.addEventListener("keydown", (event) => event.key === "Escape" && this.release());
    this.watcher = new ResizeObserver(() => this.layout());
    this.watcher.observe(root);
  }

  destroy() {
    this.watcher.disconnect();
    cancelAnimationFrame(this.request);
  }

  // Messages

  /** Messages are taken one after the other: the first brings the codebook, later ones what was decoded. */
  receive(bytes) {
    const message = bytes.slice();
    this.queue = this.queue.then(() => this.take(message)).catch((error) => console.error(error));
  }

  async take(bytes) {
    const { meta: options, arrays } = unpack(bytes), known = this.options.digest === options.digest ? this.book : null;
    const book = books.get(options.digest) ?? known ?? (arrays.book && (await readBook(arrays.book.data)));
    if (!book) {
      this.send("want", options.digest, true);
      return;
    }
    remember(books, options.digest, book);
    const anew = book !== this.book, { answer, ...rest } = options, told = JSON.stringify(rest);
    Object.assign(this, { options, book });
    if (anew) this.open();
    if (answer) this.editing.receive(answer, arrays, anew);
    this.maps = null;
    if (anew || told !== this.told || this.look?.key !== lookOf(this.root, options).key) this.layout();
    else this.edited();
    this.told = told;
    this.root.dataset.ready = "true";
    this.root.dataset.answered = String(answer?.number ?? 0);
  }

  open() {
    const { book } = this;
    Object.assign(this, { hover: null, cell: null, over: null, looked: 0, look: null }); // nothing has its place yet
    this.pinned = { code: null, image: null };
    this.editing.restart(book);
    this.find("facts").textContent = `${count(book.codes)} codes, ${book.dead ? `${count(book.dead)} dead` : "none dead"}`;
    this.find("perplexity").replaceChildren(...[[book.set_perplexity, "over the whole set"], [book.batch_perplexity, "within a batch"]]
      .map(([value, where]) => {
        const item = document.createElement("span"), number = document.createElement("b");
        number.textContent = value.toFixed(1);
        item.append(number, ` ${where}`);
        return item;
      }));
    this.find("map").querySelector("canvas:last-child").setAttribute("aria-label", `Code map, ${book.rows} by ${book.columns} cells. Arrow keys move, Enter pins or paints.`);
    this.find("tiles").lastElementChild.setAttribute("aria-label", `${book.codes} codes as tiles. Arrow keys point at one, Enter pins it, Escape unpins.`);
    this.find("bars").lastElementChild.setAttribute("aria-label", `How often each code is chosen. Perplexity ${book.set_perplexity.toFixed(1)} over the whole set, ${book.batch_perplexity.toFixed(1)} within a batch, of ${book.codes} codes; ${book.dead} are dead.`);
    this.find("cloud").lastElementChild.setAttribute("aria-label", `Projection of ${book.codes} codes over ${book.outputs.length / 2} encoder outputs.`);
    this.find("strip").lastElementChild.setAttribute("aria-label", `${book.shown} images. Arrow keys look at one, Enter pins it.`);
    this.find("wall").lastElementChild.setAttribute("aria-label", `The code maps of ${book.total} images.`);
  }

  send(name, value, trigger = false) { (trigger ? this.setTriggerValue : this.setStateValue)?.(name, value); }

  // What is shown

  get code() { return this.hover ?? this.pinned.code; }

  get image() { return this.over ?? this.pinned.image ?? this.looked; }

  codeOf(cell, image = this.image) { return this.editing.maps[image * this.book.cells + cell]; }

  point(code, aloud = false) {
    if (this.hover === code) return;
    this.hover = code;
    if (aloud) this.say(this.spoken(code));
    this.refresh();
  }

  lookAt(image, aloud = false) {
    if (image === null) this.looked = this.image;
    this.over = aloud ? null : image;
    if (aloud) {
      this.looked = image;
      if (this.pinned.image !== null) this.pinned.image = image;
      this.say(`Image ${image}`);
    }
    this.redraw([this.inspector]);
  }

  /** Point at a cell of the image looked at; its code is then pointed at too. */
  pointCell(cell, follow = true, aloud = false) {
    this.cell = cell;
    if (follow) this.hover = cell === null ? null : this.codeOf(cell);
    if (aloud) this.say(`Row ${Math.floor(cell / this.book.columns)}, column ${cell % this.book.columns}: ${this.reading()}`);
    this.refresh();
  }

  pin(code) {
    if (code === null) return;
    if (this.editing.swapping && this.editing.brush !== null && code !== this.editing.brush && !this.editing.dropped.has(code)) {
      this.editing.swap(this.editing.brush, code);
      return;
    }
    this.pinned.code = this.pinned.code === code ? null : code;
    this.say(this.pinned.code === null ? `Code ${code} unpinned` : `Code ${code} pinned`);
    this.report();
    this.set(() => {});
  }

  pinImage(image) {
    if (image === null) return;
    this.pinned.image = this.pinned.image === image ? null : image;
    this.looked = image;
    this.say(this.pinned.image === null ? `Image ${image} unpinned` : `Image ${image} pinned`);
    this.report();
    this.set(() => {});
  }

  /** Escape: lets go of the swap, else of everything that is pinned. */
  release() {
    if (this.editing.swapping) this.set(() => (this.editing.swapping = false));
    else {
      this.looked = this.image;
      const had = this.pinned.code !== null || this.pinned.image !== null;
      this.pinned = { code: null, image: null };
      Object.assign(this, { hover: null, cell: null });
      if (had) this.report();
      this.set(() => {});
    }
  }

  report() {
    if (this.options.report_pin) this.send("pin", { digest: this.options.digest, ...this.pinned });
  }

  set(change) {
    change();
    this.tools.reflect();
    this.redraw([this.inspector]);
  }

  choose(name, value) {
    if (name === "sort") {
      this.sort = value;
      this.tiles.arrange();
    }
    if (name === "log") {
      this.log = value;
      this.usage.layout(this.usage.layers.width, this.usage.layers.height);
    }
    if (name === "shows") this.strip.shows = value;
    if (name === "view") this.inspector.view = value;
    if (name === "mode") this.editing.painting = value === "paint";
    this.tools.reflect();
    this.redraw([this.tiles, this.usage, this.strip, this.inspector]);
  }

  /** The code maps have changed. */
  edited() {
    this.maps = null;
    if (this.cell !== null) this.hover = this.codeOf(this.cell);
    this.tools.reflect();
    this.redraw([this.tiles, this.strip, this.wall, this.inspector]);
  }

  /** All N maps, the edited ones among them, and where each code fires in them. */
  index() {
    if (this.maps) return;
    this.maps = this.book.maps.slice();
    this.maps.set(this.editing.maps);
    this.places = new Index(this.maps, this.book.codes);
  }

  // Drawing

  layout() {
    const { book, root, options } = this, room = root.clientWidth;
    if (!book || !room) return; // nothing yet, or in a tab that is not shown
    root.dataset.classroom = String(options.classroom);
    root.dataset.width = room >= WIDE ? "wide" : room >= MIDDLE ? "middle" : "narrow";
    this.look = lookOf(root, options);
    const width = (name) => this.find(name).parentElement.clientWidth;
    this.tiles.layout(width("tiles") - 6, options.height);
    const beside = Math.round(Math.min(width("cloud"), LOW) * (options.classroom ? 1.15 : 1));
    this.usage.layout(width("bars"), room >= WIDE ? beside : Math.round(0.62 * beside));
    this.projection.layout(width("cloud"), room >= WIDE ? beside : Math.min(width("cloud"), 1.4 * beside));
    this.strip.layout(width("strip") - 6, room >= WIDE ? 400 : 220);
    this.wall.layout(width("wall"));
    this.detail.layout();
    this.inspector.layout(this.find("three").clientWidth, 400);
    this.tools.reflect();
    this.redraw(this.panels);
  }

  redraw(panels) {
    this.stale = new Set([...(this.stale ?? []), ...panels]);
    this.refresh();
  }

  refresh() { this.request ??= requestAnimationFrame(this.tick); }

  tick() {
    this.request = null;
    if (!this.look) return;
    this.index();
    for (const panel of this.stale ?? []) panel.drawBase();
    this.stale = new Set();
    for (const panel of this.panels) panel.drawOver();
    this.detail.draw();
    this.read();
    Object.assign(this.root.dataset, { code: this.code ?? "", image: this.image, cell: this.cell ?? "" });
  }

  // Words

  spoken(code) {
    const { book } = this;
    if (code === null) return "";
    const used = book.usage[code] ? `chosen ${count(book.usage[code])} times, rank ${book.ranks[code] + 1} of ${book.codes}` : "dead, never chosen";
    return `Code ${code}, ${used}`;
  }

  /** What the encoder said at the cell pointed at. */
  reading() {
    const { book, cell, image } = this, at = image * book.cells + cell, [first, second] = [book.first[at], book.second[at]];
    const chosen = book.maps[at], now = this.codeOf(cell), text = (d) => (d >= 100 ? d.toFixed(1) : d.toPrecision(3));
    const edited = now === chosen ? "" : `now code ${now}; the encoder chose `;
    return `${edited}code ${chosen}, distance ${text(first)}; the second nearest code is ${text(second)} away`;
  }

  read() {
    const { cell, book } = this, reading = this.find("reading");
    reading.dataset.empty = String(cell === null);
    reading.textContent = cell === null ? "Point at a cell to read its code and distances"
      : `Row ${Math.floor(cell / book.columns)}, column ${cell % book.columns}: ${this.reading()}`;
  }

  say(text) { this.find("live").textContent = text; }
}

const browsers = new WeakMap();

/** Streamlit calls this at every new message and every change of theme, on the same element. */
export default function mount({ data, parentElement, setStateValue, setTriggerValue }) {
  const root = parentElement.querySelector(".codebook");
  let browser = browsers.get(root);
  if (!browser) browsers.set(root, (browser = new CodebookBrowser(root)));
  Object.assign(browser, { setStateValue, setTriggerValue });
  browser.receive(data);
  return () => {
    browser.destroy();
    browsers.delete(root);
  };
}
