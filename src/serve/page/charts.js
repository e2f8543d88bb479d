// SPDX-License-Identifier: MIT
// The time axis that all charts share: readings, what of them is shown, the pointer, and the ranges
// that are chosen. Times are ms since 1970.
"use strict";

const READINGS_MOST = 5000, DRAG_LEAST = 6; // pixels until a press is a drag
const TICKS_MS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 86400]
  .map((seconds) => seconds * 1000);

class Axis {
  // chosen(range, base): called when somebody has chosen a range, [from, until] or null each;
  // dragged: when one is about to be chosen
  constructor(chosen, dragged) {
    Object.assign(this, { chosen, dragged });
    this.charts = [];
    this.readings = [];
    this.whole = false;
    this.range = this.base = this.kept = this.draft = null;
    this.at = -1; // number of the reading at the pointer, among those shown
    this.second = false; // the next drag chooses what is compared with
    this.step = READING_MS;
  }

  add(chart) {
    this.charts.push(chart);
    const on = (name, act) => chart.canvas.addEventListener(name, (event) => act(event));
    on("pointerdown", (event) => this.press(chart, event));
    on("pointermove", (event) => this.move(chart, event));
    on("pointerup", (event) => this.release(chart, event));
    on("pointercancel", () => { this.draft = null; this.paint(); });
    on("pointerleave", () => { if (!this.draft) this.point(-1); });
    on("keydown", (event) => this.key(event));
    on("blur", () => this.point(-1));
  }

  // --- readings

  set(readings) {
    this.readings = readings.slice(-READINGS_MOST);
    this.measureStep();
    this.paint();
  }

  push(reading) {
    const last = this.readings[this.readings.length - 1];
    if (last && reading.time <= last.time) return;
    this.set([...this.readings, reading]);
  }

  measureStep() {
    const list = this.readings.slice(-READINGS);
    if (list.length < 3) return;
    this.step = (list[list.length - 1].time - list[0].time) / (list.length - 1);
  }

  shown() {
    return this.whole ? this.readings : this.readings.slice(-READINGS);
  }

  get until() {
    const last = this.readings[this.readings.length - 1];
    return last ? last.time : Date.now();
  }

  get from() {
    const first = this.readings[0];
    const least = this.until - (READINGS - 1) * this.step;
    return this.whole && first ? Math.min(first.time, least) : least;
  }

  spanText() {
    const length = lengthText(this.until - this.from);
    return this.whole ? `all that is kept, ${length}` : `the last ${length}`;
  }

  // As many times as there is room for, at round minutes or seconds of the local clock.
  ticks(width) {
    const room = (this.until - this.from) / Math.max(Math.floor(width / 66), 1);
    const step = TICKS_MS.find((one) => one >= room) || TICKS_MS[TICKS_MS.length - 1];
    const zone = new Date(this.until).getTimezoneOffset() * 60000, list = [];
    for (let time = Math.ceil((this.from - zone) / step) * step + zone; time <= this.until;
      time += step) list.push(time);
    return list;
  }

  pointed() {
    return this.at >= 0 ? this.shown()[this.at] : null;
  }

  point(at) {
    if (this.at === at) return;
    this.at = at;
    this.paint();
  }

  nearest(time) {
    let best = -1;
    this.shown().forEach((reading, i) => {
      if (best < 0 || Math.abs(reading.time - time) <=
          Math.abs(this.shown()[best].time - time)) best = i;
    });
    return best;
  }

  // --- ranges

  choose(range, second) {
    if (second) this.base = range;
    else this.range = range;
    this.second = false;
    this.chosen(this.range, this.base);
    this.paint();
  }

  clear() {
    this.range = this.base = this.draft = null;
    this.marked = undefined;
    this.second = false;
    this.chosen(null, null);
    this.paint();
  }

  placeOf(chart, event) {
    return event.clientX - chart.canvas.getBoundingClientRect().left;
  }

  press(chart, event) {
    if (event.button !== 0) return;
    const x = this.placeOf(chart, event);
    chart.canvas.setPointerCapture(event.pointerId);
    this.draft = { x, time: chart.timeAt(x), second: event.shiftKey || this.second,
      was: [this.range, this.base], dragged: false };
  }

  move(chart, event) {
    const x = this.placeOf(chart, event), { draft } = this;
    this.point(this.nearest(chart.timeAt(x)));
    if (!draft || (!draft.dragged && Math.abs(x - draft.x) < DRAG_LEAST)) return;
    draft.dragged = true;
    const range = [draft.time, chart.timeAt(x)].sort((a, b) => a - b);
    if (draft.second) this.base = range;
    else this.range = range;
    this.dragged();
    this.paint();
  }

  release(chart, event) {
    const { draft } = this;
    this.draft = null;
    if (!draft || !draft.dragged) return;
    const times = [draft.time, chart.timeAt(this.placeOf(chart, event))].sort((a, b) => a - b);
    // A second is the least that there are samples of.
    if (times[1] - times[0] < 1000) times[1] = times[0] + 1000;
    this.choose(times.map(Math.round), draft.second);
  }

  // By keyboard: arrows point at a reading, Space begins a range and ends it.
  key(event) {
    const last = this.shown().length - 1, now = this.at < 0 ? last : this.at;
    const to = { ArrowLeft: now - 1, ArrowRight: now + 1, Home: 0, End: last }[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey || last < 0) return;
    if (to !== undefined) this.point(Math.min(Math.max(to, 0), last));
    else if (event.key === " ") this.mark(this.shown()[now].time, event.shiftKey);
    else if (event.key === "Escape") this.clear();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  // What a range that has been begun would be.
  begun() {
    const at = this.pointed();
    return this.marked === undefined || !at ? null
      : [this.marked, at.time].sort((a, b) => a - b);
  }

  mark(time, second) {
    const begun = this.marked;
    this.marked = begun === undefined ? time : undefined;
    if (begun === undefined) return;
    const times = [begun, time].sort((a, b) => a - b);
    if (times[1] - times[0] < 1000) times[1] = times[0] + 1000;
    this.choose(times.map(Math.round), second || this.second);
  }

  // --- drawing

  resize() {
    for (const chart of this.charts) chart.resize();
    this.paint();
  }

  recolor() {
    const style = getComputedStyle(document.documentElement);
    const color = (name) => style.getPropertyValue(name).trim();
    this.colors = { soft: color("--soft"), line: color("--line"), ink: color("--ink"),
      accent: color("--accent"), second: color("--second"),
      series: [0, 1, 2, 3, 4].map((i) => color(`--s${i}`)) };
    this.paint();
  }

  paint() {
    if (this.waiting || !this.colors) return;
    this.waiting = requestAnimationFrame(() => {
      this.waiting = 0;
      for (const chart of this.charts) if (chart.context) chart.draw(this.colors);
    });
  }
}

// What the charts of a process show.
const CHARTS = [
  { title: "CPU", unit: "percent", stacked: true, least: 10,
    text: "CPU time, of one CPU: 200 % are two CPUs.",
    series: [{ name: "program", of: (one) => one.user },
      { name: "kernel", of: (one) => one.system }] },
  { title: "Memory", unit: "bytes", colors: [2],
    text: "Resident memory.",
    series: [{ name: "resident", of: (one) => one.rss }] },
  { title: "Threads", unit: "count", stacked: true, least: 4, colors: [0, 3, 1, 4],
    text: "Threads by what they are in when looked at.",
    series: [{ name: "running", of: (one) => one.running },
      { name: "sleeping", of: (one) => one.sleeping },
      { name: "disk", of: (one) => one.disk },
      { name: "stopped", of: (one) => one.stopped }] },
  { title: "Waiting for a CPU", unit: "percent", least: 10, colors: [1],
    text: "Time that threads could run and had no CPU, added up over threads: 400 % are four " +
      "threads that wait all the time.",
    series: [{ name: "waiting", of: (one) => one.queued }] },
  { title: "Blocked", unit: "count", least: 4, colors: [4],
    text: "Threads that neither ran nor waited for a CPU, on the average.",
    series: [{ name: "blocked", of: (one) => one.blocked }] },
];
