// SPDX-License-Identifier: MIT
// A flame graph whose data change while somebody looks at it: what was chosen, zoomed and pointed
// at is found again by its names, because numbers of cells differ from one set of data to the next.
"use strict";

class LiveGraph extends Graph {
  adopt(data) {
    if (!this.data) {
      this.load(data, () => ({ type: data.shown, ...this.wanted }));
      return;
    }
    const kept = this.choices();
    this.load(data, () => this.chooseAgain(kept));
    this.findAgain(kept);
  }

  choices() {
    const { state, data, view, layout } = this, whole = layout.whole || 1;
    return {
      type: data.types[state.type].name, marked: state.marked < 0 ? "" : this.keyOf(state.marked),
      chosen: this.asked || [...state.chosen].map(([key, text]) =>
        [key.name, text < 0 ? -1 : data.texts[text]]),
      zoomed: this.pathOf(state.zoomed), selected: this.pathOf(this.selected),
      hovered: this.pathOf(this.hovered), top: view.top, left: view.left / whole,
      right: view.right / whole,
    };
  }

  chooseAgain(kept) {
    const { data } = this, chosen = new Map();
    const type = data.types.findIndex((one) => one.name === kept.type);
    let marked = -1;
    for (let i = 0; kept.marked && i < data.frames.name.length; i++)
      if (this.keyOf(i) === kept.marked) marked = i;
    for (const [name, text] of kept.chosen) {
      const key = this.keys.find((one) => one.name === name);
      const value = key && key.values.find((one) => (one < 0 ? -1 : data.texts[one]) === text);
      if (value !== undefined) chosen.set(key, value);
    }
    this.asked = null;
    return { type: type < 0 ? data.shown : type, marked, chosen, zoomed: 0 };
  }

  findAgain(kept) {
    const whole = this.layout.whole || 1;
    const again = (path) => (path.length ? this.nodeAt(path) : -1);
    this.selected = again(kept.selected);
    this.hovered = again(kept.hovered);
    if (this.hovered < 0) byId("tip").hidden = true;
    if (kept.zoomed.length) this.zoomTo(Math.max(again(kept.zoomed), 0), false);
    else this.look(kept.left * whole, kept.right * whole);
    this.scrollTo(kept.top);
    this.tell(this.hovered >= 0 ? this.hovered : this.selected);
  }

  // Shows only samples with this label, from the next data on.
  askFor(name, text) {
    this.asked = [[name, text]];
  }

  keyOf(frame) {
    return `${this.nameOf(frame)}\0${this.moduleOf(frame)}\0${this.fileOf(frame)}`;
  }

  // The functions from the root down to a cell; none for all.
  pathOf(node) {
    const { tree } = this, path = [];
    for (let at = node; at > 0; at = tree.parent[at]) path.push(this.keyOf(tree.frame[at]));
    return path.reverse();
  }

  // The cell with that path, or -1.
  nodeAt(path) {
    const { tree, layout } = this;
    let node = 0;
    for (const key of path) {
      let next = -1;
      for (let kid = tree.first[node]; kid < tree.first[node + 1] && next < 0; kid++)
        if (layout.where[kid] >= 0 && this.keyOf(tree.frame[kid]) === key) next = kid;
      if (next < 0) return -1;
      node = next;
    }
    return node;
  }
}
