// SPDX-License-Identifier: MIT
// Texts, and how the server is asked. Paths are relative: at /targets/ID/ they mean that target.
"use strict";

const READING_MS = 2000, READINGS = 60; // from one picture to the next; readings that are shown
const PATIENCE_MS = 30000;

// word: [title, what it measures, in one sentence]
const MEASURES = {
  cpu: ["CPU", "CPU time: where threads were when they ran, each second weighed by the CPU time " +
    "that the kernel charged them."],
  wall: ["Wall", "All time of all threads: running, waiting for a CPU, and blocked."],
  block: ["Block", "What threads wait for: the time they were blocked, at the place where they " +
    "went to sleep. Waits for work are left out."],
  mutex: ["Mutex", "Time that threads waited for locks, at the places where others held them " +
    "meanwhile. Files for pprof also have the places that waited, as another side."],
};

// What tabs show that have no type to choose.
const OTHERS = {
  threads: "CPU time and places are of the time that is said below; states, waits and who holds " +
    "a lock are those of now.",
  waits: `${MEASURES.block[1]} Locks: ${MEASURES.mutex[1].replace("T", "t")}`,
  runtime: "What it is now, whatever range is chosen.",
};

const TABS = { flame: "Flame graph", functions: "Functions", threads: "Threads", waits: "Waits",
  runtime: "Runtime" };

const STATES = { R: "running", S: "sleeping", D: "disk", T: "stopped", t: "traced", Z: "zombie",
  X: "dead", I: "idle", "?": "not known" };

// A failure says why in words, and whether anybody answered at all.
class Refusal extends Error {
  constructor(text, status) {
    super(text);
    this.status = status;
  }
}

// base: where the chosen target's paths begin, from here; "" at /targets/ID/ itself
const server = { base: "" };

async function ask(path, words = {}, more = {}) {
  const query = new URLSearchParams(words).toString();
  let reply;
  try {
    reply = await fetch(server.base + (query ? `${path}?${query}` : path),
      { signal: AbortSignal.timeout(PATIENCE_MS), ...more });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refusal("The server does not answer. This page goes on asking.", 0);
  }
  if (reply.ok) return reply;
  const text = await reply.text();
  let said = text;
  try {
    said = JSON.parse(text).error || text;
  } catch {
    // it was not JSON
  }
  throw new Refusal(said.trim() || reply.statusText, reply.status);
}

const askJson = async (path, words, more) => (await ask(path, words, more)).json();

function clockOf(ms, date = false) {
  const time = new Date(ms).toLocaleTimeString("en-GB");
  return date ? `${new Date(ms).toLocaleDateString("sv")} ${time}` : time;
}

// Times are told by the clock here, whose zone is said once, beside the charts.
const localTimes = (text) => text.replace(/\d{4}-\d\d-\d\dT[\d:]+(\.\d+)?Z/g,
  (time) => clockOf(Date.parse(time), true));

function zoneText() {
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  const east = -new Date().getTimezoneOffset(), two = (part) => String(part).padStart(2, "0");
  const offset = `UTC${east < 0 ? "−" : "+"}${two(Math.floor(Math.abs(east) / 60))}:` +
    two(Math.abs(east) % 60);
  return timeZone === "UTC" || !east ? "Times are UTC." : `Times are of ${timeZone}, ${offset}.`;
}

const isToday = (ms) => new Date(ms).toDateString() === new Date().toDateString();

function lengthText(ms) {
  return ms < 180e3 ? `${Math.round(ms / 1000)} s` : duration(ms * 1e6);
}

function endsText([from, until]) {
  return `${clockOf(from, !isToday(from))} – ${clockOf(until)}`;
}

// chosen: how long the range is that was asked for, if that is another one
function spanText(span, chosen = 0) {
  const length = span[1] - span[0], part = chosen - length >= 1000;
  return `${endsText(span)} (${lengthText(length)}` +
    `${part ? ` of the ${lengthText(chosen)} chosen` : ""})`;
}

function uptimeText(seconds) {
  const minutes = Math.floor(seconds / 60), hours = Math.floor(minutes / 60);
  if (minutes < 1) return `${Math.floor(seconds)} s`;
  if (hours < 1) return `${minutes} min`;
  return hours < 48 ? `${hours} h ${minutes % 60} min`
    : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

const UNITS = {
  percent: (value) => `${value.toFixed(value >= 99.95 ? 0 : 1)} %`,
  bytes: (value) => amount(value, "bytes"),
  count: (value) => (Number.isInteger(value) ? String(value) : value.toFixed(1)),
};

// A number that is not known is no number.
const figureText = (value, unit) => (value === null || value === undefined || Number.isNaN(value)
  ? "–" : UNITS[unit](value));
