// The four numbers at this k, each over its curve for all k.

const WIDTH = 200, HEIGHT = 44;

const digits = (value) => (value >= 10 ? value.toFixed(1) : value.toFixed(3));

export class Readouts {
  constructor(root) {
    this.cells = [...root.querySelectorAll(".number")].map((cell) => ({
      cell, value: cell.querySelector("b"), line: cell.querySelector("path"), one: cell.querySelector("line"),
      mark: cell.querySelector(".mark"),
    }));
  }

  /** New curves: (4, K), in the order precision, recall, density, coverage. */
  curves(values, columns) {
    this.values = values;
    this.columns = columns;
    this.cells.forEach(({ line, one }, n) => {
      const top = (this.top(n));
      const points = Array.from({ length: columns }, (_, c) => `${this.x(c).toFixed(1)},${this.y(values[n * columns + c], top).toFixed(2)}`);
      line.setAttribute("d", `M${points.join("L")}`);
      one.setAttribute("y1", this.y(1, top));
      one.setAttribute("y2", this.y(1, top));
    });
  }

  top(n) {
    let most = 1;
    for (let c = 0; c < this.columns; c++) most = Math.max(most, this.values[n * this.columns + c]);
    return most;
  }

  x(c) { return (WIDTH * c) / Math.max(1, this.columns - 1); }

  y(value, top) { return HEIGHT - (HEIGHT * value) / top; }

  /** The numbers at a column. */
  show(at) {
    this.cells.forEach(({ cell, value, mark }, n) => {
      const number = this.values[n * this.columns + at], text = digits(number);
      if (value.textContent !== text) value.textContent = text;
      cell.dataset.value = number;
      mark.style.left = `${(100 * this.x(at)) / WIDTH}%`;
      mark.style.top = `${(100 * this.y(number, this.top(n))) / HEIGHT}%`;
    });
  }
}
