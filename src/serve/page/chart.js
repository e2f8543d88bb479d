// SPDX-License-Identifier: MIT
// One chart on a canvas: lines or layers over time. All charts of a page share a time axis
// (charts.js), which says what of it is shown, where the pointer is, and which ranges are chosen.
"use strict";

const CHART = { left: 52, right: 8, top: 8, bottom: 20 }; // pixels around the plot

// The least round number that is not below the value, and whose half is round too.
function niceAbove(value, base) {
  if (!(value > 0)) return 1;
  const power = base ** Math.floor(Math.log(value) / Math.log(base) + 1e-9);
  const steps = base === 10 ? [1, 2, 4, 6, 8, 10]
    : Array.from({ length: 11 }, (_, i) => 2 ** i);
  return power * steps.find((step) => step * power >= value * (1 - 1e-9));
}

class Chart {
  // spec: title, unit, series [{ name, of(reading) }], stacked, least (of the axis), text (what it
  // is), colors (numbers of them)
  constructor(spec, axis) {
    Object.assign(this, { spec, axis });
    this.figure = element("figure", "chart");
    const caption = element("figcaption");
    this.values = element("span", "values");
    caption.append(element("b", "", spec.title), this.values);
    caption.title = spec.text;
    this.canvas = element("canvas", "", "", "img");
    this.canvas.tabIndex = 0;
    this.when = element("time", "when");
    this.when.hidden = true;
    this.figure.append(caption, this.canvas, this.when);
    this.shown = spec.series.map((series, i) => {
      const item = element("span"), value = element("output");
      item.append(element("i", `swatch s${spec.colors ? spec.colors[i] : i}`),
        element("span", "", series.name), value);
      this.values.append(item);
      return value;
    });
    axis.add(this);
  }

  resize() {
    const box = this.canvas.getBoundingClientRect(), ratio = window.devicePixelRatio || 1;
    Object.assign(this, { width: Math.max(box.width, 1), height: Math.max(box.height, 1), ratio });
    this.canvas.width = Math.round(this.width * ratio);
    this.canvas.height = Math.round(this.height * ratio);
    this.context = this.canvas.getContext("2d");
  }

  get plot() {
    const { left, right, top, bottom } = CHART;
    return { left, top, width: Math.max(this.width - left - right, 1),
      height: Math.max(this.height - top - bottom, 1) };
  }

  xOf(time) {
    const { from, until } = this.axis, { left, width } = this.plot;
    return left + ((time - from) / (until - from || 1)) * width;
  }

  timeAt(x) {
    const { from, until } = this.axis, { left, width } = this.plot;
    return from + (Math.min(Math.max(x - left, 0), width) / width) * (until - from);
  }

  // layers[i][k]: where series i is drawn at reading k, NaN: not known
  layers(readings) {
    const { series, stacked } = this.spec;
    const list = series.map((one) => readings.map((reading) => one.of(reading) ?? NaN));
    for (let i = 1; stacked && i < list.length; i++)
      list[i] = list[i].map((value, k) => value + list[i - 1][k]);
    return list;
  }

  draw(colors) {
    const { context, axis, spec } = this, readings = axis.shown();
    this.lines = this.layers(readings);
    const most = Math.max(spec.least || 0,
      ...this.lines.map((line) => line.reduce((a, b) => (b > a ? b : a), 0)));
    this.top = niceAbove(most, spec.unit === "bytes" ? 1024 : 10);
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    context.clearRect(0, 0, this.width, this.height);
    this.drawRanges(colors);
    this.drawGrid(colors);
    for (let i = this.lines.length - 1; i >= 0; i--)
      this.drawLine(readings, i, colors.series[spec.colors ? spec.colors[i] : i]);
    this.drawPointer(colors);
    this.tell(readings);
  }

  yOf(value) {
    const { top, height } = this.plot;
    return top + height * (1 - value / this.top);
  }

  drawGrid(colors) {
    const { context, axis, spec } = this, { left, top, width, height } = this.plot;
    context.font = "11px system-ui, sans-serif";
    context.fillStyle = colors.soft;
    context.strokeStyle = colors.line;
    context.lineWidth = 1;
    context.textBaseline = "middle";
    context.textAlign = "right";
    for (const part of [0, 0.5, 1]) {
      const y = Math.round(this.yOf(this.top * part)) + 0.5;
      context.beginPath();
      context.moveTo(left, y);
      context.lineTo(left + width, y);
      context.stroke();
      context.fillText(axisText(this.top * part, spec.unit), left - 6, y);
    }
    context.textBaseline = "top";
    context.textAlign = "center";
    const pointed = axis.pointed(), at = pointed ? this.xOf(pointed.time) : -Infinity;
    for (const time of axis.ticks(width)) {
      const x = this.xOf(time);
      if (Math.abs(x - at) > 56 && x < left + width - 16)
        context.fillText(clockOf(time), x, top + height + 6);
    }
  }

  drawLine(readings, number, color) {
    const { context, lines, spec } = this, line = lines[number];
    let open = false, first = 0;
    const close = (last) => {
      if (!open) return;
      context.stroke();
      if (!spec.stacked && spec.series.length > 1) return;
      for (let k = last; k >= first; k--)
        context.lineTo(this.xOf(readings[k].time),
          this.yOf(spec.stacked && number > 0 ? lines[number - 1][k] : 0));
      context.globalAlpha = 0.25;
      context.fill();
      context.globalAlpha = 1;
    };
    context.strokeStyle = context.fillStyle = color;
    context.lineWidth = 1.5;
    context.lineJoin = "round";
    readings.forEach((reading, k) => {
      if (Number.isNaN(line[k])) {
        close(k - 1);
        open = false;
        return;
      }
      const x = this.xOf(reading.time), y = this.yOf(line[k]);
      if (open) context.lineTo(x, y);
      else {
        context.beginPath();
        context.moveTo(x, y);
        first = k;
      }
      open = true;
    });
    close(readings.length - 1);
  }

  // Chosen ranges, and below them where stacks are kept.
  drawRanges(colors) {
    const { context, axis } = this, { top, height } = this.plot;
    const strip = ([from, until], y, high, color, alpha) => {
      const x = this.xOf(Math.max(from, axis.from)), end = this.xOf(Math.min(until, axis.until));
      if (end <= x) return;
      context.globalAlpha = alpha;
      context.fillStyle = color;
      context.fillRect(x, y, Math.max(end - x, 2), high);
      context.globalAlpha = 1;
    };
    if (axis.range) strip(axis.range, top, height, colors.accent, 0.2);
    if (axis.begun()) strip(axis.begun(), top, height, colors.accent, 0.2);
    if (axis.base) strip(axis.base, top, height, colors.second, 0.25);
    if (axis.kept) strip(axis.kept, top + height + 1, 3, colors.accent, 0.8);
  }

  drawPointer(colors) {
    const { context, axis } = this, reading = axis.pointed();
    this.when.hidden = !reading;
    if (!reading) return;
    const x = Math.round(this.xOf(reading.time)) + 0.5, { top, height } = this.plot;
    this.when.textContent = clockOf(reading.time, !isToday(reading.time));
    this.when.style.left = `${this.canvas.offsetLeft + Math.min(x, this.width - 26)}px`;
    context.strokeStyle = colors.ink;
    context.lineWidth = 1;
    context.globalAlpha = 0.6;
    context.beginPath();
    context.moveTo(x, top);
    context.lineTo(x, top + height);
    context.stroke();
    context.globalAlpha = 1;
  }

  // Numbers at the pointer, or the newest; and the whole in words for those who do not see it.
  tell(readings) {
    const { spec, axis } = this, reading = axis.pointed() || readings[readings.length - 1];
    const said = [];
    spec.series.forEach((series, i) => {
      const value = reading ? series.of(reading) : null;
      const text = figureText(value, spec.unit);
      if (this.shown[i].textContent !== text) this.shown[i].textContent = text;
      const all = readings.map(series.of).filter((one) => !Number.isNaN(one));
      const [least, most] = all.reduce(([a, b], one) => [Math.min(a, one), Math.max(b, one)],
        [Infinity, 0]);
      // A kind that there is nothing of takes no room.
      this.shown[i].parentElement.hidden = i > 1 && !most;
      if (all.length)
        said.push(`${series.name} ${text}, from ${figureText(least, spec.unit)} to ` +
          figureText(most, spec.unit));
    });
    const when = reading ? `at ${clockOf(reading.time)}` : "";
    this.canvas.setAttribute("aria-label", `${spec.title} ${when}: ${said.join("; ") ||
      "nothing is known yet"}. ${spec.text}`);
  }
}

function axisText(value, unit) {
  if (unit === "bytes") {
    const [one, name] = SIZES.find(([limit]) => value >= limit) || SIZES[SIZES.length - 1];
    return `${Number((value / one).toFixed(1))} ${name}`;
  }
  const text = value >= 1e6 ? `${value / 1e6} M` : value >= 1e4 ? `${value / 1e3} k`
    : String(Number(value.toFixed(2)));
  return unit === "percent" ? `${text} %` : text;
}
