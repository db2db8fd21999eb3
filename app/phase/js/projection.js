// From a state and its time to a place on the picture: flat, over time, or seen from a side in three dimensions.

export const MODES = { plane: "Plane", graph: "Over time", time: "Plane and time", space: "Space" };
const VIEW = { yaw: -0.55, pitch: 0.42 };
const REACH = 0.33; // of the edge, one half of a side of the cube
const MARGIN = { left: 46, bottom: 30, top: 12, right: 14 };

/** The modes that a view can be shown in. */
export const modesOf = (film) =>
  film.drive === "frame" && film.dimensions === 2 ? ["plane", "graph"]
    : { 1: ["graph"], 2: ["plane", "time", "graph"], 3: ["space", "plane", "graph"] }[film.dimensions];

export class Projection {
  constructor() {
    Object.assign(this, VIEW);
  }

  /** What to show: `spans` of the coordinates, `times` [first, last]. */
  set(mode, edge, spans, times) {
    Object.assign(this, { mode, edge, spans, times });
    Object.assign(this, { cy: Math.cos(this.yaw), sy: Math.sin(this.yaw), cp: Math.cos(this.pitch), sp: Math.sin(this.pitch) });
  }

  get turns() { return this.mode === "time" || this.mode === "space"; }

  turn(yaw, pitch) {
    this.yaw += yaw;
    this.pitch = Math.min(Math.max(this.pitch + pitch, -Math.PI / 2), Math.PI / 2);
  }

  reset() { Object.assign(this, VIEW); }

  /** −1 to 1 along coordinate `d`. */
  unit(d, value) {
    const [low, high] = this.spans[d];
    return (2 * (value - low)) / (high - low) - 1;
  }

  share(t) {
    const [first, last] = this.times;
    return last > first ? (t - first) / (last - first) : 0;
  }

  /** Put the state that begins at `z[o]` at time `t`; leaves the place in `px` and `py`. */
  put(t, z, o) {
    const { mode, edge } = this;
    if (mode === "plane") {
      this.px = (0.5 + 0.5 * this.unit(0, z[o])) * edge;
      this.py = (0.5 - 0.5 * this.unit(1, z[o + 1])) * edge;
    } else if (mode === "graph") {
      this.px = MARGIN.left + this.share(t) * (edge - MARGIN.left - MARGIN.right);
      this.py = MARGIN.top + (0.5 - 0.5 * this.unit(0, z[o])) * (edge - MARGIN.top - MARGIN.bottom);
    } else if (mode === "time") this.solid(2 * this.share(t) - 1, this.unit(0, z[o]), this.unit(1, z[o + 1]));
    else this.solid(this.unit(0, z[o]), this.unit(1, z[o + 1]), this.unit(2, z[o + 2]));
  }

  /** A place in the cube [−1, 1]³, the third axis upwards. */
  solid(u, v, w) {
    const { cy, sy, cp, sp, edge } = this, deep = u * sy + v * cy;
    this.px = edge / 2 + (u * cy - v * sy) * REACH * edge;
    this.py = edge / 2 - (w * cp + deep * sp) * REACH * edge;
  }

  /** How a small move of a state moves its place: `put` must have been called with the state. */
  move(t, z, o, dz, e, depth, out) {
    const { px, py } = this, tip = [0, 0, 0];
    for (let d = 0; d < depth; d++) tip[d] = z[o + d] + dz[e + d];
    this.put(t, tip, 0);
    out[0] = this.px - px;
    out[1] = this.py - py;
    Object.assign(this, { px, py });
    return out;
  }

  get margin() { return MARGIN; }
}
