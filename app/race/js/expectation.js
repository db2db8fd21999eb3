// E[z] of softmax((log π + G)/τ) for any number of categories, by quadrature in one dimension.
//
// With w_k = e^{y_k/τ} and 1/Σw = ∫ e^{−sΣw} ds, and since e^{−G_k} is exponential, E[z_k] = ∫ f(u + log π_k)
// Π_{j≠k} S(u + log π_j) du, where f and S are density and survival function of A + τB, A and B logarithms of
// independent exponential variables. The integrands are smooth and vanish on both sides: the trapezoidal rule is exact
// to far more digits than are shown.

const STEP = 0.05; // of the table, in units of the wider of A and τB
const LOWEST = -11, HIGHEST = 3; // where the logarithm of an exponential variable lies, but for 2e-5 of its mass
const NODES = 0.1; // from one value to the next of the narrower of A and τB

/** The density of the logarithm of an exponential variable. */
const logExponential = (x) => Math.exp(x - Math.exp(x));

let kept = null; // the table of the last temperature: logits move more often

/** f and S of A + τB on a lattice: { tau, step, density, survival }. */
function tableOf(tau) {
  if (kept?.tau === tau) return kept;
  const wide = Math.max(tau, 1), narrow = Math.min(tau, 1), step = STEP * wide, low = LOWEST * (wide + narrow);
  const size = Math.ceil((HIGHEST * (wide + narrow) - low) / step) + 1, nodes = [];
  for (let x = LOWEST; x <= HIGHEST; x += NODES) nodes.push([narrow * x, NODES * logExponential(x)]);
  const density = new Float64Array(size), survival = new Float64Array(size);
  for (let i = 0; i < size; i++)
    for (const [x, weight] of nodes) {
      const rest = (low + i * step - x) / wide;
      density[i] += weight * logExponential(rest) / wide;
      survival[i] += weight * Math.exp(-Math.exp(rest));
    }
  return (kept = { tau, step, density, survival });
}

/** A table's value between two of its places; `before` below the first, the last one beyond the end. */
function between(values, place, before) {
  if (place < 0) return before;
  const at = Math.min(place, values.length - 1.001), i = Math.floor(at);
  return values[i] + (at - i) * (values[i + 1] - values[i]);
}

/** E[z] (K,) at a temperature; π itself at τ = 0, and 0 for what cannot be drawn. */
export function expectation(logPi, tau) {
  if (tau === 0) return logPi.map(Math.exp);
  const { step, density, survival } = tableOf(tau), can = logPi.map((l) => l > -Infinity);
  const sums = logPi.map(() => 0), steepest = Math.max(...logPi);
  for (let i = 0; i < density.length; i++) {
    const place = (l) => i + (l - steepest) / step; // u starts where the likeliest category's table does
    const alive = logPi.map((l, k) => (can[k] ? between(survival, place(l), 1) : 1));
    const product = alive.reduce((a, b) => a * b, 1);
    if (product < 1e-300) break; // nothing is left
    logPi.forEach((l, k) => { if (can[k]) sums[k] += product / alive[k] * between(density, place(l), 0); });
  }
  const whole = sums.reduce((a, b) => a + b, 0);
  return sums.map((sum) => sum / whole);
}
