// SPDX-License-Identifier: MIT
// A flame graph whose data change while somebody looks at it: what was chosen, zoomed and pointed
// at is found again by its names, because numbers of cells differ from one set of data to the next.
"use strict";

// Lets labels be chosen that no sample has: a set that differs from another one by them alone.
function addLabels(data, only) {
  const { texts, labels, sets } = data;
  const numberOf = (text) => (texts.includes(text) ? texts.indexOf(text) : texts.push(text) - 1);
  for (const [name, text] of only) {
    const key = numberOf(name), others = (sets[0] || []).filter((one) => labels.key[one] !== key);
    if (!sets.length) sets.push([]);
    labels.key.push(key);
    labels.text.push(numberOf(text));
    sets.push([...others, labels.key.length - 1]);
  }
}

class LiveGraph extends Graph {
  constructor(remember) {
    super(remember);
    this.only = new Map(); // name of a label -> what samples that are shown have there, "": none
  }

  adopt(data) {
    addLabels(data, this.only);
    this.live = true;
    if (!this.data) {
      this.load(data, () => ({ type: data.shown, ...this.wanted, chosen: this.chosen() }));
      return;
    }
    const kept = this.choices();
    this.load(data, () => this.chooseAgain(kept));
    this.findAgain(kept);
  }

  // Shows a file, which has labels of its own.
  open(data) {
    this.live = false;
    this.load(data, () => ({ type: data.shown, zoomed: 0, marked: -1, search: "",
      chosen: new Map() }));
  }

  filter(key, text) {
    if (this.live && text === null) this.only.delete(key.name);
    else if (this.live) this.only.set(key.name, text < 0 ? "" : this.data.texts[text]);
    super.filter(key, text);
  }

  // Keys and texts as these data number them.
  chosen() {
    const chosen = new Map();
    for (const [name, text] of this.only) {
      const key = this.keys.find((one) => one.name === name);
      const number = text ? this.data.texts.indexOf(text) : -1;
      if (!key) continue;
      if (!key.values.includes(number)) key.select.append(option(text || "(none)", number));
      chosen.set(key, number);
    }
    return chosen;
  }

  choices() {
    const { state, data, view, layout } = this, whole = layout.whole || 1;
    return {
      type: data.types[state.type].name, marked: state.marked < 0 ? "" : this.keyOf(state.marked),
      zoomed: this.pathOf(state.zoomed), selected: this.pathOf(this.selected),
      hovered: this.pathOf(this.hovered), top: view.top, left: view.left / whole,
      right: view.right / whole,
    };
  }

  chooseAgain(kept) {
    const { data } = this;
    const type = data.types.findIndex((one) => one.name === kept.type);
    let marked = -1;
    for (let i = 0; kept.marked && i < data.frames.name.length; i++)
      if (this.keyOf(i) === kept.marked) marked = i;
    return { type: type < 0 ? data.shown : type, marked, chosen: this.chosen(), zoomed: 0 };
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

  // Shows only samples with these labels, from the next data on.
  askFor(only) {
    this.only = new Map(only);
  }

  // What is shown of all samples, in words.
  get onlyText() {
    return [...this.only].map(([name, text]) => `${name} ${text || "(none)"}`).join(", ");
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
