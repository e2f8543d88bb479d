// SPDX-License-Identifier: MIT
// A flame graph in the elements of graph.html: its state, what follows from it, and what keys and
// pointers do to it. The page around it may give it other data at any time.
"use strict";

const ZOOM_MS = 160, WHEEL = 1.0015, STEP = 1.6, DRAG = 4; // pixels until a press is a drag

class Graph {
  // remember: called when what is shown has changed
  constructor(remember) {
    this.remember = remember;
    this.state = { type: 0, inverted: false, equal: true, search: "", marked: -1, zoomed: 0,
      table: TABLE_FIRST, chosen: new Map() };
    this.view = { left: 0, right: 1, top: 0 };
    this.selected = this.hovered = -1;
    this.drawing = new Drawing(byId("canvas"));
    this.table = new FunctionTable(this, "self");
    this.listenToGraph();
  }

  // Shows data. stateOf: what of it is to be shown, told when the keys of filters are known.
  load(data, stateOf) {
    const two = data.sides.length > 1;
    if (two !== this.two) this.table.order = { by: two ? "change" : "self", down: true };
    Object.assign(this, { data, two, inverted: null, keys: filterKeys(data),
      calls: callTree(data) });
    fillTypes(data);
    fillFilters(data, this.keys, (key, text) => this.filter(key, text));
    fillLegend(data, two);
    document.body.classList.toggle("two", two);
    this.drawing.resize();
    Object.assign(this.state, stateOf());
    this.selected = this.hovered = -1;
    this.compute();
    this.zoomTo(this.state.zoomed, false);
  }

  // --- from the state to numbers

  set(change) {
    Object.assign(this.state, change);
    this.selected = this.hovered = -1;
    this.state.zoomed = 0;
    this.compute();
    this.zoomTo(0, false);
  }

  filter(key, text) {
    const chosen = new Map(this.state.chosen);
    if (text === null) chosen.delete(key);
    else chosen.set(key, text);
    this.set({ chosen });
  }

  compute() {
    const started = performance.now(), { data, state } = this;
    if (state.inverted) this.inverted = this.inverted || invertedTree(data, this.calls);
    this.tree = state.inverted ? this.inverted : this.calls;
    const passes = passing(data, state.chosen);
    const weights = (tree) =>
      data.sides.map((_, side) => weigh(tree, data, side, state.type, passes));
    const calls = weights(this.calls);
    const own = state.inverted ? weights(this.tree) : calls;
    const last = own.length - 1;
    this.after = own[last].total;
    this.self = own[last].self;
    this.before = this.two ? own[0].total : null;
    this.scale = this.two && state.equal && this.before[0] > 0 && this.after[0] > 0
      ? this.after[0] / this.before[0] : 1;
    this.whole = this.after[0] || (this.two ? this.before[0] * this.scale : 0);
    this.layout = layOut(this.tree, this.two ? this.meanSizes() : this.after);
    this.functions = calls.map((one) => byFunction(this.calls, data.frames.name.length, one));
    this.search();
    this.showState();
    performance.measure("ptprof-layout", { start: started });
  }

  // In a difference a cell is as wide as the mean of both, so that what is gone can be seen too.
  meanSizes() {
    return this.after.map((size, i) => (size + this.before[i] * this.scale) / 2);
  }

  beforeOf(node) {
    return this.before[node] * this.scale;
  }

  search() {
    const { state, data } = this;
    const frames = data.frames.name.length, hit = new Uint8Array(frames);
    const wanted = state.search ? matcher(state.search) : null;
    this.looking = state.marked >= 0 || wanted !== null;
    if (state.marked >= 0) hit[state.marked] = 1;
    else if (wanted)
      for (let i = 0; i < frames; i++) hit[i] = wanted.test(this.nameOf(i));
    this.hits = this.looking ? this.countHits(hit) : null;
    byId("found").textContent = this.looking ? this.foundText(hit) : "";
    this.fillTable(wanted);
    this.paint();
  }

  // hits[place]: how many cells before this place match.
  countHits(hit) {
    const { layout, tree } = this, hits = new Int32Array(layout.cell.length + 1);
    for (let i = 0; i < layout.cell.length; i++)
      hits[i + 1] = hits[i] + (layout.cell[i] > 0 ? hit[tree.frame[layout.cell[i]]] : 0);
    return hits;
  }

  // A stack counts once, however many of its functions match.
  foundText(hit) {
    const { calls, data, functions } = this, above = new Uint8Array(calls.count);
    const after = functions.length - 1, totals = this.callTotals(after);
    let sum = 0, count = 0;
    for (let i = 1; i < calls.count; i++) {
      above[i] = above[calls.parent[i]];
      if (above[i] || !hit[calls.frame[i]]) continue;
      above[i] = 1;
      sum += totals[i];
    }
    for (let i = 0; i < hit.length; i++) count += hit[i] && functions[after].total[i] > 0 ? 1 : 0;
    const unit = data.types[this.state.type].unit;
    return `${count} function${count === 1 ? "" : "s"}, ` +
      `${percent(sum, this.after[0])} (${amount(sum, unit)})`;
  }

  callTotals(side) {
    if (!this.state.inverted) return this.after;
    const { data, state, calls } = this;
    return weigh(calls, data, side, state.type, passing(data, state.chosen)).total;
  }

  fillTable(wanted) {
    const last = this.functions.length - 1, { self, total } = this.functions[last], rows = [];
    const before = this.two ? this.functions[0].total : null;
    for (let frame = 0; frame < self.length; frame++) {
      const was = before ? before[frame] * this.scale : 0;
      if (total[frame] <= 0 && was <= 0) continue;
      if (this.state.marked < 0 && wanted && !wanted.test(this.nameOf(frame))) continue;
      rows.push({ frame, self: self[frame], total: total[frame], before: was });
    }
    this.table.show(rows, this.whole, this.data.types[this.state.type].unit, this.two);
  }

  // --- texts

  nameOf(frame) {
    return this.data.texts[this.data.frames.name[frame]];
  }

  moduleOf(frame) {
    return this.data.texts[this.data.frames.module[frame]];
  }

  fileOf(frame) {
    return this.data.texts[this.data.frames.file[frame]];
  }

  placeOf(frame) {
    return [this.moduleOf(frame), this.fileOf(frame).replace(/^.*\//, "")].filter(Boolean)
      .join(" · ");
  }

  hueOf(frame) {
    return this.data.frames.color[frame];
  }

  marked() {
    return this.state.marked;
  }

  // What is said of a cell: [name, where it is, how much it has].
  describe(node) {
    const { tree, data } = this, frame = tree.frame[node], place = tree.place[node];
    const unit = data.types[this.state.type].unit;
    const line = place >> LINE_SHIFT, file = node > 0 ? this.fileOf(frame) : "";
    const where = node > 0 ? [this.moduleOf(frame),
      file && line ? `${file}:${line}${place & SEVERAL ? " and other lines" : ""}` : file,
      place & INLINED ? "inlined" : "", data.frames.made[frame] ? "made by the process" : ""] : [];
    const share = (value, whole) => `${amount(value, unit)} (${percent(value, whole)})`;
    const figures = this.two
      ? [`before ${share(this.before[node], this.before[0])}`,
        `after ${share(this.after[node], this.after[0])}`,
        changeText(this.beforeOf(node), this.after[node])]
      : [`total ${share(this.after[node], this.after[0])}`,
        `self ${share(this.self[node], this.after[0])}`];
    return [node > 0 ? this.nameOf(frame) : "all", where.filter(Boolean).join(" · "),
      figures.join(" · ")];
  }

  showState() {
    const { state, data } = this, type = data.types[state.type];
    byId("type").value = state.type;
    byId("invert").setAttribute("aria-pressed", state.inverted);
    byId("equal").setAttribute("aria-pressed", state.equal);
    byId("table-toggle").setAttribute("aria-pressed", state.table);
    document.body.classList.toggle("no-table", !state.table);
    if (byId("search").value !== state.search) byId("search").value = state.search;
    for (const key of this.keys) key.select.value = state.chosen.get(key) ?? "";
    byId("about").textContent = this.about(type).join(" · ");
    byId("empty").hidden = this.whole > 0;
  }

  about(type) {
    const { state, data } = this, profile = data.profiles[data.profiles.length - 1];
    const parts = [type.name, amount(this.after[0], type.unit)];
    if (this.two) parts.push(`before ${amount(this.before[0], type.unit)}`,
      state.equal ? "shares compared: both totals count as equal" : "compared as measured");
    if (profile.duration) parts.push(`over ${profile.duration}`);
    if (profile.date) parts.push(profile.date.replace("T", " ").replace("Z", " UTC"));
    if (state.inverted) parts.push("callers below their callees");
    return parts;
  }

  tell(node) {
    const status = byId("status-text");
    const [name, where, figures] = this.describe(node >= 0 ? node : Math.max(this.state.zoomed, 0));
    status.replaceChildren(element("b", "", name), element("span", "", figures),
      element("small", "", where));
  }

  // --- drawing

  recolor() {
    this.colors = readColors();
    this.paint();
  }

  scene() {
    const { tree, data } = this;
    return {
      layout: this.layout, view: this.view, hits: this.hits,
      selected: this.selected, hovered: this.hovered,
      colorOf: (node) => (this.two ? HUES + stepOf(this.beforeOf(node), this.after[node])
        : node > 0 ? data.frames.color[tree.frame[node]] : HUES - 1),
      nameOf: (node, room) => {
        const name = node > 0 ? this.nameOf(tree.frame[node]) : "all";
        if (!this.two || room < 14) return name;
        const before = this.beforeOf(node), after = this.after[node];
        if (stepOf(before, after) === EQUAL_STEP) return name;
        return `${changeText(before, after)}  ${name}`;
      },
    };
  }

  paint() {
    if (this.waiting || !this.layout || !this.drawing.width) return;
    this.waiting = requestAnimationFrame(() => {
      const started = performance.now();
      this.waiting = 0;
      this.drawing.draw(this.scene(), this.colors);
      performance.measure("ptprof-draw", { start: started });
    });
  }

  resize() {
    this.drawing.resize();
    if (!this.data) return;
    this.scrollTo(this.view.top);
    this.table.draw();
  }

  // --- the view

  scrollTo(top) {
    const most = (this.layout.levels.length - 1) * ROW - this.drawing.height;
    this.view.top = Math.max(0, Math.min(top, most));
    this.paint();
  }

  look(left, right) {
    const whole = this.layout.whole || 1, least = whole * 1e-9;
    const width = Math.min(Math.max(right - left, least), whole);
    this.view.left = Math.max(0, Math.min(left, whole - width));
    this.view.right = this.view.left + width;
    this.paint();
  }

  zoomBy(factor, x = this.drawing.width / 2) {
    const { left, right } = this.view, at = left + (x / this.drawing.width) * (right - left);
    this.look(at - (at - left) / factor, at + (right - at) / factor);
  }

  // Makes a cell as wide as the canvas, and brings it into sight.
  zoomTo(node, smooth = true) {
    const { layout } = this;
    const wanted = node > 0 && node < this.tree.count && layout.where[node] >= 0 ? node : 0;
    const place = layout.where[wanted], level = levelOf(layout, place);
    this.state.zoomed = wanted;
    const y = level * ROW - this.view.top;
    if (wanted === 0) this.scrollTo(0);
    else if (y < 0 || y > this.drawing.height / 2) this.scrollTo((level - 3) * ROW);
    this.glide(layout.left[place], layout.left[place] + (layout.size[wanted] || 1), smooth);
    this.tell(this.selected);
    this.remember();
  }

  glide(left, right, smooth) {
    const from = { ...this.view }, started = performance.now();
    cancelAnimationFrame(this.gliding);
    if (!smooth || window.matchMedia("(prefers-reduced-motion: reduce)").matches) {
      this.look(left, right);
      return;
    }
    const step = (now) => {
      const part = Math.min(Math.max((now - started) / ZOOM_MS, 0), 1), eased = part * (2 - part);
      this.look(from.left + (left - from.left) * eased, from.right + (right - from.right) * eased);
      if (part < 1) this.gliding = requestAnimationFrame(step);
    };
    this.gliding = requestAnimationFrame(step);
  }

  select(node) {
    this.selected = node;
    if (node >= 0) this.reveal(node);
    this.tell(node);
    this.paint();
  }

  // Scrolls and pans as little as is needed to see a cell.
  reveal(node) {
    const { layout, view, drawing } = this, place = layout.where[node];
    const y = levelOf(layout, place) * ROW, left = layout.left[place], size = layout.size[node];
    if (y < view.top) this.scrollTo(y);
    if (y + ROW > view.top + drawing.height) this.scrollTo(y + ROW - drawing.height);
    const width = view.right - view.left;
    if (left + size <= view.left || left >= view.right)
      this.look(left + size / 2 - width / 2, left + size / 2 + width / 2);
  }

  // From the table: marks a function, or takes the mark away; zoom: to where it has most.
  choose(frame, zoom) {
    this.state.marked = !zoom && this.state.marked === frame ? -1 : frame;
    this.search();
    if (zoom) this.zoomTo(this.largestOf(frame));
    this.remember();
  }

  largestOf(frame) {
    const { tree, layout } = this;
    let best = 0;
    for (let i = 1; i < tree.count; i++)
      if (tree.frame[i] === frame && layout.where[i] >= 0 &&
          (best === 0 || layout.size[i] > layout.size[best])) best = i;
    return best;
  }

  // --- keys

  neighbour(key) {
    const { tree, layout } = this, node = Math.max(this.selected, 0), place = layout.where[node];
    const level = levelOf(layout, place);
    if (key === "ArrowUp") return node > 0 ? tree.parent[node] : 0;
    if (key === "ArrowDown") {
      let best = node;
      for (let kid = tree.first[node]; kid < tree.first[node + 1]; kid++)
        if (best === node || layout.size[kid] > layout.size[best]) best = kid;
      return layout.where[best] >= 0 ? best : node;
    }
    const next = place + (key === "ArrowRight" ? 1 : -1);
    const there = next >= layout.levels[level] && next < layout.levels[level + 1];
    return there ? layout.cell[next] : node;
  }

  nextHit(step) {
    if (!this.hits || !this.hits[this.hits.length - 1]) return;
    const count = this.layout.cell.length;
    let at = this.selected >= 0 ? this.layout.where[this.selected] : step > 0 ? -1 : 0;
    do at = (at + step + count) % count;
    while (this.hits[at + 1] === this.hits[at]);
    this.select(this.layout.cell[at]);
  }

  reset() {
    this.selected = -1;
    this.zoomTo(0);
  }

  clearSearch() {
    Object.assign(this.state, { search: "", marked: -1 });
    byId("search").value = "";
    if (this.data) this.search();
    this.remember();
  }

  // Returns whether the key means something here.
  key(event) {
    const { state, data } = this;
    const act = {
      "/": () => byId("search").focus(),
      i: () => this.set({ inverted: !state.inverted }),
      t: () => this.set({ type: (state.type + 1) % data.types.length }),
      e: () => this.two && this.set({ equal: !state.equal }),
      w: () => this.showTable(!state.table),
      n: () => this.nextHit(1),
      N: () => this.nextHit(-1),
      0: () => this.reset(),
      Escape: () => (state.zoomed > 0 || this.view.right - this.view.left < this.layout.whole
        ? this.reset() : this.clearSearch()),
      Backspace: () => this.zoomTo(this.tree.parent[state.zoomed]),
      "+": () => this.zoomBy(STEP),
      "-": () => this.zoomBy(1 / STEP),
      Enter: () => this.zoomTo(this.selected),
      PageDown: () => this.scrollTo(this.view.top + this.drawing.height - ROW),
      PageUp: () => this.scrollTo(this.view.top - this.drawing.height + ROW),
    }[event.key];
    if (act) act();
    else if (/^Arrow/.test(event.key)) this.select(this.neighbour(event.key));
    else return false;
    return true;
  }

  showTable(table) {
    this.state.table = table;
    this.showState();
    this.remember();
  }

  // --- listeners

  listenToGraph() {
    const click = (id, act) => byId(id).addEventListener("click", () => this.data && act());
    click("invert", () => this.set({ inverted: !this.state.inverted }));
    click("equal", () => this.set({ equal: !this.state.equal }));
    click("reset", () => this.reset());
    click("closer", () => this.zoomBy(STEP));
    click("wider", () => this.zoomBy(1 / STEP));
    click("table-toggle", () => this.showTable(!this.state.table));
    byId("type").addEventListener("change", (event) =>
      this.set({ type: Number(event.target.value) }));
    byId("search").addEventListener("input", (event) => {
      Object.assign(this.state, { search: event.target.value, marked: -1 });
      if (this.data) this.search();
      this.remember();
    });
    byId("search").addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.clearSearch();
      if (event.key === "Enter") this.nextHit(event.shiftKey ? -1 : 1);
      if (event.key === "Escape") byId("canvas").focus();
    });
    new ResizeObserver(() => this.resize()).observe(byId("graph"));
    new Pointer(this, byId("canvas"));
  }
}
