// Voronoi cells in a window, each cut out of it along one bisector after the other.

/** The part of a convex polygon [x0, y0, x1, y1, …] where n · p ≤ level. */
export function cut(polygon, nx, ny, level) {
  const out = [], size = polygon.length;
  for (let i = 0; i < size; i += 2) {
    const x = polygon[i], y = polygon[i + 1], x1 = polygon[(i + 2) % size], y1 = polygon[(i + 3) % size];
    const here = nx * x + ny * y - level, there = nx * x1 + ny * y1 - level;
    if (here <= 0) out.push(x, y);
    if (here <= 0 !== there <= 0) {
      const share = here / (here - there);
      out.push(x + share * (x1 - x), y + share * (y1 - y));
    }
  }
  return out;
}

/** One polygon a code; of equal codes the first has the cell, the others an empty one. */
export function voronoi(codes, [x0, x1, y0, y1]) {
  const count = codes.length / 2, cells = [];
  for (let k = 0; k < count; k++) {
    const x = codes[2 * k], y = codes[2 * k + 1];
    let cell = Number.isFinite(x) && Number.isFinite(y) ? [x0, y0, x1, y0, x1, y1, x0, y1] : [];
    for (let j = 0; j < count && cell.length; j++) {
      const dx = codes[2 * j] - x, dy = codes[2 * j + 1] - y;
      if (j === k || !(Number.isFinite(dx) && Number.isFinite(dy))) continue;
      if (dx === 0 && dy === 0) cell = j < k ? [] : cell;
      // The bisector's level about the code itself loses no digits when two codes nearly coincide.
      else cell = cut(cell, dx, dy, dx * (x + dx / 2) + dy * (y + dy / 2));
    }
    cells.push(cell);
  }
  return cells;
}

/** The nearest and the second nearest code to a point, with their distances; of equal ones the first. */
export function nearestTwo(codes, x, y) {
  let first = -1, second = -1, d1 = Infinity, d2 = Infinity;
  for (let k = 0; 2 * k < codes.length; k++) {
    const d = (codes[2 * k] - x) ** 2 + (codes[2 * k + 1] - y) ** 2;
    if (d < d1) [first, second, d1, d2] = [k, first, d, d1];
    else if (d < d2) [second, d2] = [k, d];
  }
  return { first, second, d1: Math.sqrt(d1), d2: Math.sqrt(d2) };
}
