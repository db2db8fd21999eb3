// Gumbel-Max draws: seeded noise, the winner, and what a tally of many draws says.

/** Mulberry32 (Tommy Ettinger, public domain): a 32-bit generator of period 2³², enough for a demonstration. */
export function mulberry(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  };
}

/** Uniform in (0, 1): 52 random bits and a half, so that 0 and 1 never come and no noise is infinite. */
export const uniform = (next) => ((next() >>> 6) * 2 ** 26 + (next() >>> 6) + 0.5) / 2 ** 52;

/** G = −log(−log u), as in the papers; as the lecture prints it, log(log u) of a negative number: NaN for every u. */
export const LAWS = { paper: (u) => -Math.log(-Math.log(u)), printed: (u) => -Math.log(Math.log(u)) };

/** softmax(y / τ); at τ = 0 the winner's corner. */
export function relaxed(y, tau) {
  const top = Math.max(...y);
  if (tau === 0) return y.map((value) => (value === top ? 1 : 0));
  const powers = y.map((value) => Math.exp((value - top) / tau)), sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

/** log π of logits, of which some may be −∞. */
export function normalised(logits) {
  const top = Math.max(...logits), sum = logits.reduce((total, l) => total + Math.exp(l - top), 0);
  return logits.map((l) => l - top - Math.log(sum));
}

/** Draws with fixed log π: the last one in full, all in sum. */
export class Tally {
  constructor(logPi, tau, seed) {
    Object.assign(this, { logPi, tau, next: mulberry(seed) });
    this.counts = logPi.map(() => 0);
    this.total = 0;
    this.failed = 0;
    this.warm();
  }

  /** Forget the relaxed draws: they belong to another temperature. The winners stay, for they know none. */
  warm(tau = this.tau) {
    this.tau = tau;
    this.sums = this.logPi.map(() => 0);
    this.softened = 0;
  }

  draw(law) {
    const noise = this.logPi.map(() => LAWS[law](uniform(this.next))), y = this.logPi.map((l, k) => l + noise[k]);
    let winner = -1;
    y.forEach((value, k) => { if (value > -Infinity && (winner < 0 || value > y[winner])) winner = k; });
    if (winner < 0 || noise.some(Number.isNaN)) {
      this.failed += 1;
      this.last = { noise, y, winner: -1, z: y.map(() => NaN) };
      return;
    }
    const z = relaxed(y, this.tau);
    this.counts[winner] += 1;
    this.total += 1;
    this.softened += 1;
    z.forEach((value, k) => { this.sums[k] += value; });
    this.last = { noise, y, winner, z };
  }
}
