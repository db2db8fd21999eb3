// Where a film stands, in the film's own time. Players with one group name share one clock.

export const SPEEDS = [0.25, 0.5, 1, 2, 4];
const FRAMES_PER_SECOND = 15; // of the film at speed 1; the display shows what lies between
const HOLD = 0.45; // seconds of rest at either end

/** The fractional index of `time` in increasing `times`, clamped to [0, T−1]. */
export function indexOf(times, time) {
  const last = times.length - 1;
  if (!(time > times[0])) return 0;
  if (time >= times[last]) return last;
  let low = 0, high = last;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (times[middle] <= time) low = middle;
    else high = middle;
  }
  return low + (time - times[low]) / (times[high] - times[low]);
}

/** The time at a fractional index. */
export function timeAt(times, index) {
  const low = Math.min(Math.floor(index), times.length - 1), high = Math.min(low + 1, times.length - 1);
  return times[low] + (times[high] - times[low]) * (index - low);
}

export class Clock {
  constructor() {
    this.time = null; // unknown until the first film comes
    this.playing = false;
    this.speed = 1;
    this.loop = "ping-pong";
    this.direction = 1;
    this.phase = 1; // −1 on a ping-pong's way back
    this.hold = 0;
    this.jump = false; // a loop that rests at its end before it starts anew
    this.members = new Set();
    this.request = 0;
    this.tick = this.tick.bind(this);
  }

  /** The longest film's times lead. */
  get timeline() {
    let longest = [0];
    for (const member of this.members) if (member.times.length > longest.length) longest = member.times;
    return longest;
  }

  get index() { return indexOf(this.timeline, this.time); }

  set index(index) { this.time = timeAt(this.timeline, index); }

  get last() { return this.timeline.length - 1; }

  get heading() { return this.direction * this.phase; }

  get atEnd() { return this.heading > 0 ? this.index >= this.last : this.index <= 0; }

  join(member) { this.members.add(member); }

  leave(member) {
    this.members.delete(member);
    if (!this.members.size) this.pause();
  }

  /** Draw every member in the next display frame. */
  refresh() {
    if (!this.request) this.request = requestAnimationFrame(this.tick);
  }

  announce() {
    for (const member of this.members) member.clockChanged();
    this.refresh();
  }

  play() {
    if (this.last < 1 || this.playing) return;
    if (this.atEnd) {
      if (this.loop === "ping-pong") this.phase = -this.phase;
      else this.index = this.heading > 0 ? 0 : this.last;
    }
    this.hold = 0;
    this.jump = false;
    this.playing = true;
    this.before = null;
    this.announce();
  }

  pause() {
    if (!this.playing) return;
    this.playing = false;
    this.announce();
  }

  toggle() { this.playing ? this.pause() : this.play(); }

  seek(index) {
    this.hold = 0;
    this.jump = false;
    this.index = Math.min(Math.max(index, 0), this.last);
    this.refresh();
  }

  /** To the next whole frame in that direction, at rest. */
  step(by) {
    this.pause();
    const index = this.index;
    this.seek(by > 0 ? Math.floor(index + 1e-6) + 1 : Math.ceil(index - 1e-6) - 1);
    this.announce();
  }

  set(name, value) {
    this[name] = value;
    if (name === "direction" || name === "loop") {
      this.phase = 1;
      this.jump = false;
    }
    this.announce();
  }

  faster(by) {
    const at = SPEEDS.indexOf(this.speed);
    this.set("speed", SPEEDS[Math.min(Math.max(at + by, 0), SPEEDS.length - 1)]);
  }

  tick(now) {
    this.request = 0;
    if (this.playing) {
      this.advance(this.before === null ? 0 : Math.min(now - this.before, 100) / 1000);
      this.before = now;
      if (this.playing) this.refresh();
    }
    for (const member of this.members) member.draw();
  }

  advance(seconds) {
    if (this.hold > 0) {
      this.hold -= seconds;
      if (this.hold <= 0 && this.jump) {
        this.index = this.heading > 0 ? 0 : this.last;
        this.jump = false;
      }
      return;
    }
    // A film of many frames takes 8 s at speed 1, a film of few at least 1.5 s.
    const duration = Math.min(Math.max(this.last / FRAMES_PER_SECOND, 1.5), 8);
    const index = this.index + (this.heading * this.speed * seconds * this.last) / duration;
    this.index = Math.min(Math.max(index, 0), this.last);
    if (this.atEnd) this.arrive();
  }

  arrive() {
    if (this.loop === "once") {
      this.pause();
      return;
    }
    this.hold = HOLD;
    if (this.loop === "loop") this.jump = true;
    else this.phase = -this.phase;
  }
}

/** The clock of a group on this page, or a private one. */
export function clockOf(group) {
  if (!group) return new Clock();
  // Each component instance may have loaded this module anew, so the page itself keeps the groups.
  const clocks = (globalThis.dgmFilmClocks ??= new Map());
  const known = clocks.get(group);
  if (known && known.members.size) return known;
  const clock = new Clock();
  clocks.set(group, clock);
  return clock;
}
