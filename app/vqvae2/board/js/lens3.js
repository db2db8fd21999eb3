// In a table of pictures: what the pointed one is made of, large beside the table.

const LARGEST = 190; // an edge, CSS pixels
const LEAST = 90;

export class Lens3 {
  constructor(element, board) {
    Object.assign(this, { element, board, edge: 0 });
  }

  fit(free, { width, height }) {
    const edge = Math.min(LARGEST, (free - 16) / 2), { crossed } = this.board.view;
    this.element.hidden = !crossed || edge < LEAST;
    this.edge = this.element.hidden ? 0 : Math.floor(edge);
    this.tall = Math.round((this.edge * height) / width);
    this.element.style.gridTemplateColumns = `repeat(2, ${this.edge}px)`;
  }

  /** The head of the row, the head of the column, and what both make. */
  draw(cell) {
    if (!this.edge) return;
    const { cells, view: { heads } } = this.board, at = (row, column) => cells.find(({ told }) => told.row === row && told.column === column);
    const shown = cell && cell.told.row && cell.told.column ? cell : at(1, 1), { row, column } = shown.told;
    const parts = [at(row, 0), at(0, column), shown];
    while (this.element.children.length < 3) this.element.append(this.figure());
    parts.forEach((part, k) => this.paint(this.element.children[k], part, heads[k] ?? ""));
  }

  figure() {
    const made = document.createElement("figure");
    made.append(document.createElement("figcaption"), document.createElement("canvas"));
    return made;
  }

  paint(figure, cell, words) {
    const [caption, canvas] = figure.children, ratio = Math.min(globalThis.devicePixelRatio || 1, 2);
    caption.textContent = words;
    Object.assign(canvas, { width: this.edge * ratio, height: this.tall * ratio });
    Object.assign(canvas.style, { width: `${this.edge}px`, height: `${this.tall}px` });
    const pen = canvas.getContext("2d");
    cell?.source.draw(pen, 0, canvas.width, canvas.height);
  }
}
