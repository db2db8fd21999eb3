// One lane a category: its logit, noise, perturbed logit, relaxed draw, and how often it has won.

const SPAN = 6; // nats that half a bar of noise shows
const TRACK = [-8, 6]; // where the race for the largest log π + G starts and ends
const LEAST = -5; // below it a logit counts as −∞
export const LOW = LEAST - 0.1, HIGH = 5;

const minus = (text) => text.replace("-", "−");
const said = (value) => (Number.isNaN(value) ? "NaN" : value === -Infinity ? "−∞" : minus(value.toFixed(2)));

/** A slider's place as a logit, and back. */
export const logitAt = (place) => (place < LEAST - 0.05 ? -Infinity : place);
export const placeOf = (logit) => (logit === -Infinity ? LOW : Math.min(Math.max(logit, LEAST), HIGH));

function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export class Lanes {
  constructor(body, race) {
    Object.assign(this, { body, race, lanes: [] });
  }

  /** As many lanes as there are categories. */
  resize(count) {
    while (this.lanes.length > count) this.lanes.pop().row.remove();
    while (this.lanes.length < count) this.lanes.push(this.lane(this.lanes.length));
  }

  lane(k) {
    const row = document.createElement("div");
    row.className = "lane";
    row.setAttribute("role", "row");
    row.innerHTML = `<span class="name">${k + 1}</span>
      <span class="cell logit"><input class="slider" type="range" min="${LOW}" max="${HIGH}" step="0.1"
        aria-label="Logit of category ${k + 1}"><b></b></span>
      <span class="cell noise"><i class="beam both"><u></u></i><b></b></span>
      <span class="cell sum"><i class="beam"><u></u><s></s></i><b></b></span>
      <span class="cell soft"><i class="beam"><u></u><s></s></i><b></b></span>
      <span class="cell wins"><i class="beam"><u></u><q></q><s></s></i><b></b></span>`;
    const slider = row.querySelector("input");
    slider.addEventListener("input", () => this.race.setLogit(k, logitAt(Number(slider.value))));
    slider.addEventListener("change", () => this.race.settled());
    this.body.append(row);
    const cell = (name) => ({ bar: row.querySelector(`.${name} u`), text: row.querySelector(`.${name} b`),
      tick: row.querySelector(`.${name} s`), whisker: row.querySelector(`.${name} q`) });
    return { row, slider, cells: Object.fromEntries(["logit", "noise", "sum", "soft", "wins"].map((n) => [n, cell(n)])) };
  }

  /** Everything as it stands; `share` of the noise has fallen; `hasty`: winners change too fast to be lit. */
  paint(logits, tally, expected, share, mean, hasty) {
    const { last, total } = tally, pi = tally.logPi.map(Math.exp);
    const reach = Math.min(1.12 * Math.max(...pi, ...tally.counts.map((c) => c / (total || 1))), 1);
    this.lanes.forEach(({ row, slider, cells }, k) => {
      const place = placeOf(logits[k]);
      if (Number(slider.value) !== place) slider.value = place;
      slider.style.setProperty("--share", (place - LOW) / (HIGH - LOW));
      slider.setAttribute("aria-valuetext", `${said(logits[k])}, π = ${pi[k].toFixed(3)}`);
      put(cells.logit.text, logits[k] === -Infinity ? "π 0, never" : `π ${pi[k].toFixed(3)}`);
      const noise = last ? last.noise[k] * share : 0, sum = tally.logPi[k] + noise;
      both(cells.noise, last ? noise : null);
      runs(cells.sum, sum, tally.logPi[k]);
      const won = share === 1 && last && last.winner === k && !hasty;
      row.dataset.winner = String(Boolean(won));
      row.dataset.nan = String(Number.isNaN(noise));
      const z = mean ? tally.sums[k] / (tally.softened || 1) : last && share === 1 ? last.z[k] : null;
      bar(cells.soft, mean && !tally.softened ? null : z, 1, 3);
      cells.soft.tick.style.left = `${100 * expected[k]}%`;
      cells.soft.tick.title = `E[z] = ${expected[k].toFixed(3)}`;
      row.dataset.expected = expected[k];
      bar(cells.wins, total ? tally.counts[k] / total : null, reach, 3);
      cells.wins.tick.style.left = `${100 * pi[k] / reach}%`;
      const error = total ? 2 * Math.sqrt(pi[k] * (1 - pi[k]) / total) : 0;
      const [low, high] = [Math.max(pi[k] - error, 0), Math.min(pi[k] + error, reach)];
      cells.wins.whisker.style.left = `${100 * low / reach}%`;
      cells.wins.whisker.style.width = `${100 * (high - low) / reach}%`;
      row.dataset.count = tally.counts[k];
    });
  }
}

/** A bar from the middle, to both sides. */
function both({ bar: fill, text }, value) {
  put(text, value === null ? "" : said(value));
  const length = value === null || !Number.isFinite(value) ? 0 : Math.min(Math.abs(value) / SPAN, 1) * 50;
  fill.style.left = `${value < 0 ? 50 - length : 50}%`;
  fill.style.width = `${length}%`;
}

/** A bar from the start of the track to the value, and a tick at log π, where it stood before the noise. */
function runs({ bar: fill, text, tick }, value, start) {
  const at = (y) => 100 * Math.min(Math.max((y - TRACK[0]) / (TRACK[1] - TRACK[0]), 0), 1);
  put(text, said(value));
  fill.style.left = "0";
  fill.style.width = `${Number.isNaN(value) ? 0 : at(value)}%`;
  tick.style.left = `${at(start)}%`;
  tick.hidden = start === -Infinity;
}

/** A bar from the left. */
function bar({ bar: fill, text }, value, most, digits) {
  put(text, value === null ? "" : Number.isNaN(value) ? "NaN" : value.toFixed(digits));
  fill.style.left = "0";
  fill.style.width = `${value === null || Number.isNaN(value) ? 0 : 100 * Math.min(value / most, 1)}%`;
}
