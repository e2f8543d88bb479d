// SPDX-License-Identifier: MIT
// What stands around the graph: types, filters, the legend, the theme.
"use strict";

const byId = (id) => document.getElementById(id);
const VALUES_MOST = 1000; // of a key that can be chosen from
const isSmall = () => window.innerWidth <= 760; // as graph.css says
const keysShown = () => (isSmall() ? 0 : 3); // beside each other; others are folded away

function option(text, value, disabled = false) {
  const made = element("option", "", text);
  made.value = value;
  made.disabled = disabled;
  return made;
}

const TABLE_FIRST = !isSmall(); // whether the table is shown if nobody says otherwise

function fillTypes(data) {
  byId("type").replaceChildren(
    ...data.types.map((type, i) => option(`${type.name} (${type.unit})`, i)));
}

// A list for each key of labels that samples differ in.
function fillFilters(data, keys, change) {
  byId("filters").replaceChildren();
  byId("more-filters").replaceChildren();
  keys.forEach((key, i) => {
    const label = element("label", "", key.name);
    const select = element("select");
    select.append(option("all", ""));
    for (const text of key.values.slice(0, VALUES_MOST))
      select.append(option(text < 0 ? "(none)" : data.texts[text], text));
    if (key.values.length > VALUES_MOST)
      select.append(option(`${key.values.length - VALUES_MOST} more, which have less`, "", true));
    select.addEventListener("change", () =>
      change(key, select.value === "" ? null : Number(select.value)));
    label.append(select);
    key.select = select;
    byId(i < keysShown() ? "filters" : "more-filters").append(label);
  });
  byId("more").firstElementChild.textContent = keysShown() ? "more" : "filter";
  byId("more").hidden = keys.length <= keysShown();
}

// Colours by number, with the number's meaning as text beside it.
function fillLegend(data, two) {
  const legend = byId("legend");
  legend.replaceChildren();
  if (two) {
    STEP_NAMES.forEach((name, i) => legend.append(legendItem(`d${i}`, name)));
    return;
  }
  const selfs = new Map(), { cell, values } = data.sides[0];
  for (let i = 0; i < cell.length; i++) {
    if (!cell[i]) continue;
    const frame = data.cells.frame[cell[i]], module = data.frames.module[frame];
    const hue = data.texts[module] ? data.frames.color[frame] : HUES - 1;
    const entry = selfs.get(module) || { sum: 0, hue, module };
    entry.sum += values[data.shown][i];
    selfs.set(module, entry);
  }
  const list = [...selfs.values()].sort((a, b) => b.sum - a.sum).slice(0, 8);
  for (const { hue, module } of list)
    legend.append(legendItem(`m${hue}`, data.texts[module] || "no module: hues of functions"));
}

function legendItem(color, text) {
  const item = element("span");
  item.append(element("i", `swatch ${color}`), element("span", "", text));
  item.title = text;
  return item;
}

class Theme {
  constructor(change) {
    this.system = window.matchMedia("(prefers-color-scheme: dark)");
    this.own = "";
    this.change = change;
    this.system.addEventListener("change", () => this.apply());
  }

  get dark() {
    return this.own ? this.own === "dark" : this.system.matches;
  }

  set(own) {
    this.own = own;
    this.apply();
  }

  toggle() {
    this.set(this.dark ? "light" : "dark");
  }

  apply() {
    document.documentElement.dataset.theme = this.dark ? "dark" : "light";
    this.change();
  }
}

// A search is a regular expression, or if it is none the text itself; capitals count if it has
// any.
function matcher(text) {
  const flags = text === text.toLowerCase() ? "i" : "";
  try {
    return new RegExp(text, flags);
  } catch {
    return new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), flags);
  }
}
