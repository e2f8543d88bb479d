// SPDX-License-Identifier: MIT
// The data: cells, frames and samples as columns of numbers, as flame_data.c wrote them. Texts are
// the profile's and may be anything: they only ever become textContent or letters on the canvas.
"use strict";

// Bits of a cell's place, below the line.
const INLINED = 1, SEVERAL = 2, AGAIN = 4, LINE_SHIFT = 3;

const decode = (text) => unpackData(JSON.parse(text));

function unpackData(raw) {
  const ints = (list) => Int32Array.from(list);
  const frames = {};
  for (const key of Object.keys(raw.frames)) frames[key] = ints(raw.frames[key]);
  const frame = ints(raw.cells.frame), place = ints(raw.cells.place);
  for (let i = 1; i < place.length; i++) place[i] ^= frames.place[frame[i]];
  return {
    title: raw.title, profiles: raw.profiles, types: raw.types, shown: raw.shown,
    texts: raw.texts, frames, labels: raw.labels, sets: raw.sets,
    cells: { kids: ints(raw.cells.kids), frame, place },
    sides: raw.samples.map(decodeSamples),
  };
}

function decodeSamples(raw) {
  const cell = Int32Array.from(raw.cell);
  for (let i = 1; i < cell.length; i++) cell[i] += cell[i - 1];
  return { cell, set: Int32Array.from(raw.set), values: raw.values.map(amounts) };
}

// What is below 0 (in a difference that a tool made) has no size, and counts as nothing.
function amounts(list) {
  const values = Float64Array.from(list);
  for (let i = 0; i < values.length; i++) if (values[i] < 0) values[i] = 0;
  return values;
}

// The keys by which samples can be chosen: those of which there are different values. of[set] is
// the text of the value, or -1.
function filterKeys(data) {
  const keys = new Map();
  data.sets.forEach((set, number) => {
    for (const label of set) {
      const key = data.labels.key[label];
      if (!keys.has(key))
        keys.set(key, { name: data.texts[key], of: new Int32Array(data.sets.length).fill(-1) });
      keys.get(key).of[number] = data.labels.text[label];
    }
  });
  const names = [...keys.values()].map((key) => key.name);
  const list = [...keys.values()].filter((key) => key.of.some((text) => text !== key.of[0]) &&
    !(key.name === "thread_id" && names.includes("tid"))); // the same number as a text
  const first = ["thread", "tid", "state", "wait", "lock", "side", "comm"];
  const rank = (key) => (first.indexOf(key.name) + first.length + 1) % (first.length + 1);
  for (const key of list) key.values = valuesOf(data, key);
  return list.sort((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1));
}

// The values of a key, those with most of the type that is shown first before others.
function valuesOf(data, key) {
  const sums = new Map();
  for (const side of data.sides)
    for (let i = 0; i < side.set.length; i++) {
      const text = key.of[side.set[i]];
      sums.set(text, (sums.get(text) || 0) + side.values[data.shown][i]);
    }
  return [...sums].sort((a, b) => b[1] - a[1]).map(([text]) => text);
}

// passes[set]: 1 if samples with these labels are chosen. chosen: key -> text of its value.
function passing(data, chosen) {
  const passes = new Uint8Array(data.sets.length).fill(1);
  for (const [key, text] of chosen)
    for (let i = 0; i < passes.length; i++) if (key.of[i] !== text) passes[i] = 0;
  return passes;
}

const TIMES = { nanoseconds: 1, microseconds: 1e3, milliseconds: 1e6, seconds: 1e9 };
const SMALL_TIMES = [[1e9, "s"], [1e6, "ms"], [1e3, "µs"], [1, "ns"]];
const SIZES = [[2 ** 50, "PiB"], [2 ** 40, "TiB"], [2 ** 30, "GiB"], [2 ** 20, "MiB"],
  [2 ** 10, "KiB"], [1, "B"]];

// Three figures and a unit.
function amount(value, unit) {
  const size = Math.abs(value), sign = value < 0 ? "−" : "";
  if (unit in TIMES) return sign + duration(size * TIMES[unit]);
  if (unit === "bytes") return sign + scaled(size, SIZES);
  return sign + Math.round(size).toLocaleString("en") + (unit === "count" ? "" : " " + unit);
}

function duration(ns) {
  if (ns < 120e9) return scaled(ns, SMALL_TIMES);
  const minutes = Math.floor(ns / 60e9);
  if (minutes < 120) return `${minutes} min ${Math.round(ns / 1e9 - minutes * 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function scaled(size, scales) {
  const [one, name] = scales.find(([limit]) => size >= limit) || scales[scales.length - 1];
  const number = size / one;
  return `${number.toFixed(number >= 99.95 || one === 1 ? 0 : number >= 9.995 ? 1 : 2)} ${name}`;
}

function percent(part, whole, digits = 2) {
  return `${(whole > 0 ? (100 * part) / whole : 0).toFixed(digits)} %`;
}

function signed(number, digits = 1) {
  const text = Math.abs(number).toFixed(digits);
  return Number(text) === 0 ? text : (number < 0 ? "−" : "+") + text;
}
