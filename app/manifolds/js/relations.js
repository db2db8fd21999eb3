// Which balls hold a point and which points a ball holds, by comparing all of one set: one point is pointed at a time.

const SLACK = 1 + 1e-5; // radii came as 32-bit numbers: a neighbour on the rim is inside

/** The column of an (N, K) table. */
export function column(table, columns, at) {
  const count = table.length / columns, out = new Float32Array(count);
  for (let i = 0; i < count; i++) out[i] = table[i * columns + at];
  return out;
}

/** Indices of the balls (points, radii) that hold the place (x, y). */
export function holders(points, radii, x, y) {
  const found = [];
  for (let i = 0; i < radii.length; i++) {
    const dx = points[2 * i] - x, dy = points[2 * i + 1] - y;
    if (dx * dx + dy * dy <= radii[i] * radii[i] * SLACK) found.push(i);
  }
  return found;
}

/** Indices of the points within a radius of (x, y). */
export function within(points, x, y, radius) {
  const found = [], most = radius * radius * SLACK;
  for (let i = 0; i < points.length; i += 2) {
    const dx = points[i] - x, dy = points[i + 1] - y;
    if (dx * dx + dy * dy <= most) found.push(i >> 1);
  }
  return found;
}

/** How many of the firsts are at most this column, as a share. */
export function share(firsts, at) {
  let count = 0;
  for (const first of firsts) if (first <= at) count++;
  return firsts.length ? count / firsts.length : 0;
}
