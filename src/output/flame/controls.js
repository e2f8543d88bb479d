// SPDX-License-Identifier: MIT
// What stands around the graph: the head, filters, help, the theme, and the state in the address.
"use strict";

const byId = (id) => document.getElementById(id);
const VALUES_MOST = 1000; // of a key that can be chosen from
const isSmall = () => window.innerWidth <= 760; // as flame.css says
const keysShown = () => (isSmall() ? 0 : 3); // beside each other; others are folded away

function option(text, value, disabled = false) {
  const made = element("option", "", text);
  made.value = value;
  made.disabled = disabled;
  return made;
}

function fillHead(data) {
  byId("title").textContent = data.title;
  const about = byId("about-list");
  const two = data.profiles.length > 1;
  data.profiles.forEach((profile, i) => {
    const facts = [[two ? ["Before", "After"][i] : "Profile", profile.name],
      ["Taken", profile.date], ["Duration", profile.duration],
      ["Comments", profile.comments.join("\n")],
      ["Cut", profile.cut ? `${profile.cut} stacks were too many or too deep to be drawn` : ""]];
    for (const [name, text] of facts)
      if (text) about.append(element("dt", "", name), element("dd", "", text));
  });
}

function fillTypes(data, change) {
  const select = byId("type");
  data.types.forEach((type, i) => select.append(option(`${type.name} (${type.unit})`, i)));
  select.addEventListener("change", () => change(Number(select.value)));
}

// A list for each key of labels that samples differ in.
function fillFilters(data, keys, change) {
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

// The state as the part of the address behind "#", so that a link shows what its sender sees.
function writeAddress(state, data, theme) {
  const words = new URLSearchParams();
  if (state.type !== data.shown) words.set("type", state.type);
  if (state.inverted) words.set("invert", 1);
  if (!state.equal) words.set("absolute", 1);
  if (state.search) words.set("q", state.search);
  if (state.marked >= 0) words.set("f", state.marked);
  for (const [key, text] of state.chosen)
    words.set(`by.${key.name}`, text < 0 ? "" : data.texts[text]);
  if (state.zoomed > 0) words.set("z", state.zoomed);
  if (theme.own) words.set("theme", theme.own);
  if (state.table !== state.tableFirst) words.set("table", state.table ? 1 : 0);
  const text = words.toString();
  if (text === location.hash.slice(1)) return;
  try {
    history.replaceState(null, "", text ? `#${text}` : location.pathname + location.search);
  } catch {
    location.hash = text; // where pages may not change their history
  }
}

function readAddress(state, data, keys, theme) {
  const words = new URLSearchParams(location.hash.slice(1));
  const number = (name, most, otherwise) => {
    const value = Number(words.get(name) ?? otherwise);
    return Number.isInteger(value) && value >= 0 && value < most ? value : otherwise;
  };
  state.type = number("type", data.types.length, data.shown);
  state.inverted = words.has("invert");
  state.equal = !words.has("absolute");
  state.search = words.get("q") || "";
  state.marked = number("f", data.frames.name.length, -1);
  state.zoomed = number("z", 2 ** 31, 0);
  state.table = words.has("table") ? words.get("table") === "1" : state.tableFirst;
  state.chosen = new Map();
  for (const key of keys) {
    const text = words.get(`by.${key.name}`);
    if (text === null) continue;
    const value = key.values.find((one) => (one < 0 ? "" : data.texts[one]) === text);
    if (value !== undefined) state.chosen.set(key, value);
  }
  theme.own = ["dark", "light"].includes(words.get("theme")) ? words.get("theme") : "";
}
