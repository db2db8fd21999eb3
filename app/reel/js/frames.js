// The frames that a browser holds, and what a message adds to them.

import { decimals } from "./playing.js";

/** `film` { times, frames, digits } and the frames that came after it; without a film, these alone. */
export function extend(film, { times, frames }) {
  const all = Float64Array.from([...(film ? film.times : []), ...times.data]);
  const size = frames.data.length / times.data.length;
  const fresh = Array.from(times.data, (_, k) => frames.data.subarray(k * size, (k + 1) * size));
  return { times: all, frames: film ? film.frames.concat(fresh) : fresh, digits: decimals(all) };
}

/** The frame that is nearest to a fractional index; of two equally near ones the earlier. */
export const nearestFrame = (index) => Math.max(0, Math.ceil(index - 0.5));
