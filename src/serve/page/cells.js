// SPDX-License-Identifier: MIT
// From a profile of a file to cells, frames and samples as flame_data.c writes them.
"use strict";

const CELLS_MOST = 4000000;

class CellMaker {
  constructor(profile) {
    this.profile = profile;
    this.texts = new Map([["", 0]]);
    this.frames = [];
    this.frameOf = new Map(); // function, module and file -> number
    this.cells = [{ parent: 0, frame: 0, line: 0, bits: 0, kids: new Map() }];
    this.sets = new Map();
    this.labels = new Map();
    this.samples = [];
    this.cut = 0;
  }

  text(words) {
    if (!this.texts.has(words)) this.texts.set(words, this.texts.size);
    return this.texts.get(words);
  }

  // A number of the file's texts, or one of its functions' addresses.
  said(number) {
    return this.profile.texts[number] || "";
  }

  frame(name, module, file) {
    const key = `${name}\0${module}\0${file}`;
    if (!this.frameOf.has(key)) {
      this.frameOf.set(key, this.frames.length);
      this.frames.push({ name: this.text(name), module: this.text(module), file: this.text(file),
        self: 0, place: -1 });
    }
    return this.frameOf.get(key);
  }

  // From the root to the leaf: [frame, line, inlined].
  *path(stack) {
    const { locations, mappings, functions } = this.profile;
    for (let i = stack.length - 1; i >= 0; i--) {
      const location = locations.get(stack[i]);
      if (!location) continue;
      const mapping = mappings.get(location.mapping);
      const module = mapping ? this.said(mapping.file).replace(/^.*\//, "") : "";
      if (!location.lines.length)
        yield [this.frame(`0x${location.address.toString(16)}`, module, ""), 0, 0];
      for (let k = location.lines.length - 1; k >= 0; k--) {
        const one = functions.get(location.lines[k].function);
        yield [this.frame(one ? this.said(one.name) : "?", module, one ? this.said(one.file) : ""),
          location.lines[k].line, k + 1 < location.lines.length ? INLINED : 0];
      }
    }
  }

  child(cell, frame, line, inlined) {
    const kids = this.cells[cell].kids;
    if (!kids.has(frame)) {
      if (this.cells.length === CELLS_MOST) return -1;
      kids.set(frame, this.cells.length);
      this.cells.push({ parent: cell, frame, line, bits: inlined | this.repeats(cell, frame),
        kids: new Map() });
    }
    const made = this.cells[kids.get(frame)];
    if (made.line !== line) made.bits |= SEVERAL;
    return kids.get(frame);
  }

  repeats(cell, frame) {
    for (let at = cell; at > 0; at = this.cells[at].parent)
      if (this.cells[at].frame === frame) return AGAIN;
    return 0;
  }

  set(labels) {
    const list = labels.map(({ key, text, number }) => {
      const pair = `${this.text(this.said(key))} ${this.text(text ? this.said(text)
        : String(number))}`;
      if (!this.labels.has(pair)) this.labels.set(pair, this.labels.size);
      return this.labels.get(pair);
    });
    const key = list.join(" ");
    if (!this.sets.has(key)) this.sets.set(key, { number: this.sets.size, list });
    return this.sets.get(key).number;
  }

  add(sample, shown) {
    let cell = 0;
    for (const [frame, line, inlined] of this.path(sample.stack)) {
      const next = this.child(cell, frame, line, inlined);
      if (next < 0) {
        this.cut++;
        break;
      }
      cell = next;
    }
    if (cell) this.frames[this.cells[cell].frame].self += Math.max(sample.values[shown], 0);
    this.samples.push({ cell, set: this.set(sample.labels), values: sample.values });
  }

  // Cells are numbered level by level. number[cell]: its new one.
  order() {
    const order = [0], number = new Int32Array(this.cells.length);
    for (let i = 0; i < order.length; i++) {
      number[order[i]] = i;
      for (const kid of this.cells[order[i]].kids.values()) order.push(kid);
    }
    return { order, number };
  }

  // The modules with most have hues of their own; functions without a module one of their name.
  colors() {
    const sums = new Map(), names = [...this.texts.keys()];
    for (const { module, self } of this.frames)
      if (module) sums.set(module, (sums.get(module) || 0) + self);
    const ranks = [...sums].sort((a, b) => b[1] - a[1]).map(([module]) => module);
    return this.frames.map(({ module, name }) => {
      const spread = [...names[name]].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) %
        65521, 7);
      return (module ? ranks.indexOf(module) : spread) % (HUES - 1);
    });
  }
}

function cellsOf(profile, name) {
  const maker = new CellMaker(profile), count = profile.types.length;
  const named = profile.types.findIndex((type) => profile.shown && type.type === profile.shown);
  const shown = named >= 0 ? named : count - 1;
  for (const sample of profile.samples)
    if (sample.values.length === count) maker.add(sample, shown);
  const { order, number } = maker.order(), { cells, frames } = maker;
  const place = (cell) => (cell.line > 0 && cell.line < 2 ** 28 ? cell.line << LINE_SHIFT : 0) |
    (cell.bits & ~AGAIN);
  for (const i of order) {
    const frame = frames[cells[i].frame];
    if (i && frame.place < 0) frame.place = place(cells[i]);
  }
  maker.samples.sort((a, b) => number[a.cell] - number[b.cell]);
  const column = (list, of) => Array.from(list, of);
  const types = profile.types.map(({ type, unit }) =>
    ({ name: maker.said(type), unit: maker.said(unit) }));
  return unpackData({
    title: name, types, shown, texts: [...maker.texts.keys()],
    profiles: [{ name, cut: maker.cut, comments: profile.comments.map((one) => maker.said(one)),
      date: profile.time > 0 ? clockOf(profile.time / 1e6, true) : "",
      duration: profile.duration > 0 ? duration(profile.duration) : "" }],
    frames: { name: column(frames, (one) => one.name), module: column(frames, (one) => one.module),
      file: column(frames, (one) => one.file), made: column(frames, () => 0),
      color: maker.colors(), place: column(frames, (one) => Math.max(one.place, 0)) },
    cells: { kids: column(order, (i) => cells[i].kids.size),
      frame: column(order, (i) => cells[i].frame),
      place: column(order, (i) => (i ? frames[cells[i].frame].place ^
        (place(cells[i]) | (cells[i].bits & AGAIN)) : 0)) },
    labels: { key: column(maker.labels.keys(), (pair) => Number(pair.split(" ")[0])),
      text: column(maker.labels.keys(), (pair) => Number(pair.split(" ")[1])) },
    sets: column(maker.sets.values(), (one) => one.list),
    samples: [{
      cell: column(maker.samples, (one, i) => number[one.cell] -
        (i ? number[maker.samples[i - 1].cell] : 0)),
      set: column(maker.samples, (one) => one.set),
      values: types.map((_, type) => column(maker.samples, (one) => one.values[type])),
    }],
  });
}
