// Pointing at an image enlarges it beside its column, so that what stands above and below it stays in sight.

const LENS = { share: 2.6, least: 112, most: 196 }; // its edge: a share of the image's, CSS pixels
const WORTH = 1.25; // an image is not shown again hardly larger than it is
const MOVES = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] };

export class Lens {
  constructor(player) {
    this.player = player;
    this.at = null; // [row, column]
    this.picked = null;
    const find = player.find, canvas = find("stage");
    Object.assign(this, { canvas, spot: find("spot"), mark: find("mark"), lens: find("lens"), picture: find("lens-picture"),
      name: find("lens-name"), time: find("lens-time") });
    canvas.addEventListener("pointermove", (event) => this.point(event));
    canvas.addEventListener("pointerdown", (event) => this.point(event));
    canvas.addEventListener("click", () => this.pick());
    for (const type of ["pointerleave", "blur"]) canvas.addEventListener(type, () => this.leave());
    canvas.addEventListener("keydown", (event) => event.key === "Escape" && this.leave());
  }

  point(event) {
    if (!this.player.film) return;
    const box = this.canvas.getBoundingClientRect();
    this.at = this.player.sheet.cellAt(event.clientX - box.left, event.clientY - box.top);
    this.player.clock.refresh();
  }

  leave() {
    this.at = null;
    this.player.clock.refresh();
  }

  /** The keyboard's pointer: shift + arrows. */
  nudge(key) {
    const [rows, columns] = this.player.sheet.shape, [dr, dc] = MOVES[key];
    const [r, c] = this.at ?? this.picked ?? [-dr, -dc];
    this.at = [Math.min(Math.max(r + dr, 0), rows - 1), Math.min(Math.max(c + dc, 0), columns - 1)];
    this.player.describe();
    this.player.clock.refresh();
  }

  pick() {
    if (!this.at || !this.player.options.pick) return;
    this.picked = this.at;
    this.player.pick(this.at);
    this.player.clock.refresh();
  }

  /** What an image is called, its number standing for a name that it lacks. */
  fullName([row, column]) {
    const { row_labels: rows, column_labels: columns } = this.player.options;
    return `${rows[row] || `row ${row + 1}`} · ${columns[column] || `column ${column + 1}`}`;
  }

  /** The same where its place is seen: without numbers of an axis that has no names at all. */
  shortName([row, column]) {
    const { row_labels: rows, column_labels: columns } = this.player.options;
    if (rows.length && !columns.length) return rows[row] || `row ${row + 1}`;
    if (columns.length && !rows.length) return columns[column] || `column ${column + 1}`;
    return this.fullName([row, column]);
  }

  outline(element, cell) {
    element.hidden = !cell;
    if (!cell) return;
    for (const [side, value] of Object.entries(this.player.sheet.box(cell))) element.style[side] = `${value}px`;
  }

  /** Draw the enlarged image and both outlines; called after every frame drawn. */
  draw(timeText) {
    const { sheet, options } = this.player, [rows, columns] = sheet.shape;
    const inside = (cell) => cell && cell[0] < rows && cell[1] < columns ? cell : null;
    this.at = inside(this.at);
    this.picked = options.pick ? inside(this.picked) : null;
    this.outline(this.spot, this.at);
    this.outline(this.mark, this.picked);
    const box = this.at && sheet.box(this.at), edge = this.at && this.edge(box);
    this.lens.hidden = !this.at || edge < WORTH * Math.max(box.width, box.height);
    if (this.lens.hidden) return;
    sheet.enlarge(this.at, this.picture, edge);
    this.name.textContent = this.shortName(this.at);
    this.time.textContent = `${options.time_label} = ${timeText}`;
    this.stand(box);
  }

  /** The enlarged image's longer side, CSS pixels. */
  edge({ width, height }) {
    const wanted = Math.min(Math.max(LENS.share * Math.max(width, height), LENS.least), LENS.most);
    return wanted * (this.player.options.classroom ? 1.25 : 1);
  }

  /** To the right of its column where there is room, else to the left; not below the board if that can be helped. */
  stand(box) {
    const board = this.lens.parentElement, frame = this.canvas.parentElement, [dx, dy] = [frame.offsetLeft, frame.offsetTop];
    const { offsetWidth: width, offsetHeight: height } = this.lens, space = 10;
    const right = dx + box.left + box.width + space, left = dx + box.left - width - space;
    const wide = Math.max(board.clientWidth, this.player.root.clientWidth);
    const middle = dy + box.top + (box.height - height) / 2;
    this.lens.style.left = `${right + width <= wide || left < 0 ? Math.min(right, wide - width) : left}px`;
    this.lens.style.top = `${Math.min(Math.max(middle, 0), Math.max(0, board.clientHeight - height))}px`;
  }
}
