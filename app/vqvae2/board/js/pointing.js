// Pointing at a place lights it up in every picture and on every level's map, and says in words what is there.

export class Pointing {
  constructor(board) {
    this.board = board;
    this.place = null; // [u, v] as shares of width and height
    this.cell = null; // where the pointer is
  }

  move(event, cell) {
    Object.assign(this, { place: cell.place(event), cell });
    this.board.paintMarks();
  }

  leave() {
    Object.assign(this, { place: null, cell: null });
    this.board.paintMarks();
  }

  /** The keyboard's pointer moves by one cell of the finest map. */
  nudge([dx, dy]) {
    const { view, cells } = this.board, finest = view.maps.reduce((one, other) => (other.cells > (one?.cells ?? 0) ? other : one), null);
    const [w, h] = finest ? [finest.columns, finest.rows] : [8, 8], [u, v] = this.place ?? [0.5, 0.5];
    const inside = (share) => Math.min(Math.max(share, 0), 0.999);
    this.place = [inside((Math.floor(u * w) + 0.5 + dx) / w), inside((Math.floor(v * h) + 0.5 + dy) / h)];
    this.cell ??= cells[0];
    this.board.paintMarks();
  }

  /** What lights up in one cell. */
  marks(cell, item) {
    const { view, look } = this.board, { width, height } = cell.layers, found = [];
    if (cell.told.kind === "codes") found.push(...this.ofNow(cell, item));
    if (view.crossed) return this.cell ? this.crossed(cell) : [];
    if (!this.place || cell.told.kind === "law") return found;
    if (cell.told.kind === "codes") {
      const map = cell.source, at = map.at(this.place), code = map.codes(item)[at];
      map.codes(item).forEach((other, k) => {
        if (other === code && code >= 0 && k !== at) found.push([map.box(k, width, height), look.latent, 1]);
      });
      found.push([map.box(at, width, height), look.ink, 2]);
      return found;
    }
    for (const map of this.grids()) found.push([map.box(map.at(this.place), width, height), look.ink, map.cells === this.fewest ? 2 : 1]);
    return found;
  }

  ofNow(cell, item) {
    const { view: { now }, look } = this.board;
    if (!now || now[2 * item] !== cell.told.source) return [];
    return [[cell.source.box(now[2 * item + 1], cell.layers.width, cell.layers.height), look.data, 2]];
  }

  /** One map of each grid, the coarsest first. */
  grids() {
    const found = new Map(this.board.view.maps.map((map) => [map.cells, map]));
    const sorted = [...found.values()].sort((one, other) => one.cells - other.cells);
    this.fewest = sorted[0]?.cells;
    return sorted;
  }

  /** In a table of pictures: the one pointed at, and the heads of its row and column. */
  crossed(cell) {
    const { row, column } = this.cell.told, { look } = this.board, { width, height } = cell.layers;
    const [r, c] = [cell.told.row, cell.told.column], box = [0, 0, width, height];
    if (r === row && c === column) return [[box, look.ink, 2]];
    return (r === row && c === 0) || (c === column && r === 0) ? [[box, look.latent, 3]] : [];
  }

  /** In words, what is at the place. */
  words(item) {
    const { view, cells } = this.board;
    if (!this.place || view.crossed) return this.cell && view.crossed ? this.cell.told.captions[0] ?? this.cell.told.title : "";
    const codes = cells.filter(({ told }) => told.kind === "codes").map(({ told, source }) => {
      const at = source.at(this.place), all = source.codes(item), code = all[at];
      const same = all.reduce((sum, other) => sum + (other === code), 0);
      const where = `row ${Math.floor(at / source.columns) + 1}, column ${(at % source.columns) + 1}`;
      return code < 0 ? `${told.title}: no code yet` : `${told.title}: code ${code}, ${where}${same > 1 ? `, here ${same} times` : ""}`;
    });
    return codes.join(" · ");
  }
}
