// SPDX-License-Identifier: MIT
// The state of the page as the part of the address behind "#", so that a link shows what its sender
// sees. What somebody goes to is a step of the browser's history; what follows from it is none.
"use strict";

const LABELS = ["thread", "tid", "pid", "comm", "state", "wait", "lock", "side"];
const STEPS_BACK = ["tab", "type", "from", "to", "base_from", "base_to", "history", ...LABELS];

function wordsOf(state, { state: graph, only }, theme) {
  const words = new URLSearchParams();
  if (state.tab !== "flame") words.set("tab", state.tab);
  if (state.type !== "cpu") words.set("type", state.type);
  if (state.whole) words.set("history", 1);
  if (state.paused) words.set("paused", 1);
  for (const [name, range] of [["", state.range], ["base_", state.base]])
    if (range) {
      words.set(`${name}from`, range[0]);
      words.set(`${name}to`, range[1]);
    }
  for (const [name, text] of only) if (LABELS.includes(name)) words.set(name, text);
  if (graph.inverted) words.set("invert", 1);
  if (!graph.equal) words.set("absolute", 1);
  if (graph.search) words.set("q", graph.search);
  if (graph.table !== TABLE_FIRST) words.set("table", graph.table ? 1 : 0);
  if (theme.own) words.set("theme", theme.own);
  return words;
}

function writeWords(words) {
  const text = words.toString(), before = new URLSearchParams(location.hash.slice(1));
  if (text === before.toString()) return;
  const step = STEPS_BACK.some((name) => words.get(name) !== before.get(name));
  const address = text ? `#${text}` : location.pathname + location.search;
  history[step ? "pushState" : "replaceState"](null, "", address);
}

// Returns [state of the page, state of the graph, theme, labels that samples shown have].
function readWords() {
  const words = new URLSearchParams(location.hash.slice(1));
  const range = (name) => {
    const ends = [Number(words.get(`${name}from`)), Number(words.get(`${name}to`))];
    return ends.every(Number.isFinite) && ends[0] > 0 && ends[1] > ends[0] ? ends : null;
  };
  const one = (name, of, otherwise) => (Object.hasOwn(of, words.get(name) || "")
    ? words.get(name) : otherwise);
  return [
    { tab: one("tab", TABS, "flame"), type: one("type", MEASURES, "cpu"),
      whole: words.has("history"), paused: words.has("paused"), range: range(""),
      base: range("base_") },
    { inverted: words.has("invert"), equal: !words.has("absolute"), search: words.get("q") || "",
      table: words.has("table") ? words.get("table") === "1" : TABLE_FIRST },
    ["dark", "light"].includes(words.get("theme")) ? words.get("theme") : "",
    LABELS.filter((name) => words.has(name)).map((name) => [name, words.get(name)]),
  ];
}
