// SPDX-License-Identifier: MIT
// The page of one flame graph: its head, its keys, and its state in the address.
"use strict";

class Page extends Graph {
  constructor(data) {
    super(() => writeAddress(this.state, data, this.theme));
    this.theme = new Theme(() => this.recolor());
    fillHead(data);
    this.show(data);
    this.listen();
  }

  // As the address says.
  show(data) {
    this.load(data, () => {
      const state = readAddress(data, this.keys, this.theme);
      this.theme.apply();
      return state;
    });
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || byId("help").open) return;
    if (/^(INPUT|SELECT)$/.test(event.target.tagName)) return;
    if (event.key === "Enter" && event.target.tagName === "BUTTON") return;
    if (event.key === "d") this.changeTheme();
    else if (event.key === "?") byId("help").showModal();
    else if (!super.key(event)) return;
    event.preventDefault();
  }

  changeTheme() {
    this.theme.toggle();
    this.remember();
  }

  listen() {
    byId("theme").addEventListener("click", () => this.changeTheme());
    byId("help-open").addEventListener("click", () => byId("help").showModal());
    document.addEventListener("keydown", (event) => this.key(event));
    window.addEventListener("hashchange", () => this.show(this.data));
  }
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
  if (state.table !== TABLE_FIRST) words.set("table", state.table ? 1 : 0);
  const text = words.toString();
  if (text === location.hash.slice(1)) return;
  try {
    history.replaceState(null, "", text ? `#${text}` : location.pathname + location.search);
  } catch {
    location.hash = text; // where pages may not change their history
  }
}

function readAddress(data, keys, theme) {
  const words = new URLSearchParams(location.hash.slice(1)), chosen = new Map();
  const number = (name, most, otherwise) => {
    const value = Number(words.get(name) ?? otherwise);
    return Number.isInteger(value) && value >= 0 && value < most ? value : otherwise;
  };
  for (const key of keys) {
    const text = words.get(`by.${key.name}`);
    if (text === null) continue;
    const value = key.values.find((one) => (one < 0 ? "" : data.texts[one]) === text);
    if (value !== undefined) chosen.set(key, value);
  }
  theme.own = ["dark", "light"].includes(words.get("theme")) ? words.get("theme") : "";
  return {
    type: number("type", data.types.length, data.shown), chosen,
    inverted: words.has("invert"), equal: !words.has("absolute"), search: words.get("q") || "",
    marked: number("f", data.frames.name.length, -1), zoomed: number("z", 2 ** 31, 0),
    table: words.has("table") ? words.get("table") === "1" : TABLE_FIRST,
  };
}
