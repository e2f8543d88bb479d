// SPDX-License-Identifier: MIT
// What stands in the panels and bars beside charts and flame graph, and how it is asked for.
"use strict";

// Figures of now: [title, text(reading, uptime in s), text below it, what it means]
const STATS = [
  ["CPU", (one) => figureText(one.user + one.system, "percent"),
    (one) => `${figureText(one.system, "percent")} in the kernel`,
    "Of one CPU, sum over threads: 200 % are two CPUs."],
  ["Memory", (one) => figureText(one.rss, "bytes"), () => "resident", ""],
  ["Threads", (one) => figureText(one.total, "count"),
    (one) => `${figureText(one.running, "count")} running`],
  ["Waiting for a CPU", (one) => figureText(one.queued, "percent"), () => "sum over threads",
    "Time that threads could run and had no CPU: 400 % are four threads that wait all the time."],
  ["Descriptors", (one) => figureText(one.fds, "count"),
    (one) => (Number.isNaN(one.fdsMost) ? "" : `of ${one.fdsMost.toLocaleString("en")}`)],
  ["Uptime", (_, uptime) => (uptime >= 0 ? uptimeText(uptime) : "–"), () => ""],
];

function makeStats() {
  byId("stats").replaceChildren(...STATS.map(([title, , , meaning]) => {
    const box = element("div");
    box.title = meaning || "";
    box.append(element("dt", "", title), element("dd", "", "–"), element("dd", "under"));
    return box;
  }));
}

function showStats(reading, uptime) {
  [...byId("stats").children].forEach((box, i) => {
    box.children[1].textContent = STATS[i][1](reading, uptime);
    box.children[2].textContent = STATS[i][2](reading);
  });
}

// How good the picture is, and what it costs the target.
function qualityText(view) {
  const time = (ns) => duration(ns);
  const parts = [`${view.achieved_hz.toFixed(0)} of ${view.rate_hz.toFixed(0)} Hz`,
    `${view.window_samples.toLocaleString("en")} samples`,
    `late ${view.late_percent.toFixed(1)} %`, `failed ${view.failed_percent.toFixed(1)} %`,
    `cut ${view.cut_percent.toFixed(1)} %`];
  if (view.dropped) parts.push(`${view.dropped} dropped`);
  if (view.held_max_ns)
    parts.push(`threads held ${time(view.held_p50_ns)} (p50), ${time(view.held_p99_ns)} (p99)`);
  return parts.join(" · ");
}

function showQuality(view) {
  const mark = { OK: "good", HIGH: "fair" }[view.verdict] || "poor";
  byId("quality").replaceChildren(element("span", "", `${qualityText(view)} · overhead `),
    element("b", mark, `${view.overhead_percent.toFixed(2)} % ${view.verdict}`));
}

// --- health

function showHealth(health) {
  const issues = health.issues || [], box = byId("health");
  box.hidden = false;
  byId("health-dot").className = { healthy: "good", degraded: "fair" }[health.status] || "poor";
  byId("health-text").textContent = health.status;
  const text = (issue) => (typeof issue === "string" ? issue
    : issue.text || issue.message || JSON.stringify(issue));
  byId("health-list").replaceChildren(...(issues.length ? issues.map(text)
    : ["Nothing is wrong as far as can be seen from outside."])
    .map((one) => element("li", "", localTimes(one))));
}

// --- runtime

function flat(value, path = "") {
  if (value === null || typeof value !== "object") return [[path, value]];
  if (Array.isArray(value) && value.every((one) => typeof one !== "object"))
    return [[path, value.join(", ")]];
  return Object.entries(value).flatMap(([key, one]) => flat(one, path ? `${path}.${key}` : key));
}

const CALLED = { num_cpu: "CPUs", num_goroutine: "threads", num_cgo_call: "calls to C",
  pid: "process", num_gc: "collections", gc_cpu_fraction: "CPU time of collections",
  next_gc_mb: "next collection is over at" };
// How keys end that say a unit, and those that do not say it -> how a value is told.
const TOLD = {
  _ns: (value) => duration(value), _ms: (value) => duration(value * 1e6),
  _mb: (value) => amount(value * 2 ** 20, "bytes"),
  gc_cpu_fraction: (value) => percent(value, 1),
};
for (const key of ["free", "top", "trimmable", "used_after_last_gc", "capacity", "bytes"])
  TOLD[key] = (value) => amount(value, "bytes");

function toldOf(path, value) {
  const end = Object.keys(TOLD).find((one) => path.endsWith(one));
  if (!end || !/^[\d., -]+$/.test(String(value))) return localTimes(String(value));
  return String(value).split(", ").map((one) => TOLD[end](Number(one))).join(", ");
}
const LEFT_OUT = ["timestamp", "uptime_seconds", "unavailable", "pause_total"]; // said otherwise

function wordsOfPath(path) {
  return path.split(".").map((key) => CALLED[key] || key.replace(/_(ns|ms|mb|bytes)$/, "")
    .replaceAll("_", " ")).join(" · ");
}

// What is known first, then what is not, and why.
function factsOf(title, json) {
  const { unavailable = {} } = json, box = element("section"), list = element("dl", "facts");
  const facts = flat(json).filter(([path]) => !LEFT_OUT.includes(path.split(".")[0]));
  const known = (value) => value !== null && value !== "";
  const reasons = new Map(); // why things are not known -> what
  for (const [path, value] of facts) {
    const why = `not known${unavailable[path] ? `: ${unavailable[path]}` : ""}`;
    if (known(value))
      list.append(element("dt", "", wordsOfPath(path)), element("dd", "", toldOf(path, value)));
    else reasons.set(why, [...(reasons.get(why) || []), wordsOfPath(path)]);
  }
  for (const [why, what] of reasons)
    list.append(element("dt", "absent", what.join(", ")), element("dd", "absent", why));
  box.append(element("h2", "", title), list);
  return box;
}

function showRuntime(panel, runtime, collection) {
  panel.replaceChildren(factsOf("Runtime", runtime),
    factsOf("Garbage collection and allocator", collection));
}

// --- what tabs show

const LIST_MS = 6000; // that a list to choose from is left alone
const BEGUN = { cpu: "Sampling", wall: "Sampling", block: "Counting of waits",
  mutex: "Counting of waits" };

const NOTHING = { cpu: "no thread ran on a CPU.", wall: "nothing is known of its threads.",
  block: "nobody waited for anything but work.", mutex: "nobody waited for a lock." };
const WRONG = 400; // status of HTTP
// Those that have most themselves come first, and main may come late. What one range has and the
// other has not must not be for want of room.
const FUNCTIONS_MOST = 2000, PAIRED_MOST = 20000;

const wordsOfRange = (prefix, range) => (range
  ? { [`${prefix}from`]: range[0] * 1e6, [`${prefix}to`]: range[1] * 1e6 } : {});

// Of what time an answer is, ms since 1970.
const seenOf = ({ range }) => [range.from_ns / 1e6, range.to_ns / 1e6];
const secondsOf = ({ range }) => Math.round((range.to_ns - range.from_ns) / 1e9);
const lengthOf = (view) => Math.max(secondsOf(view), 1) * 1000; // a second is the least

// What threads have of the type that is shown: tid -> sum.
function timesByThread(data, side) {
  const { key, text } = data.labels, { set, values } = data.sides[side], sums = new Map();
  const tids = data.sets.map((labels) =>
    data.texts[text[labels.find((one) => data.texts[key[one]] === "tid")]]);
  set.forEach((one, i) =>
    sums.set(tids[one], (sums.get(tids[one]) || 0) + values[data.shown][i]));
  return sums;
}

class Views {
  // page: the dashboard, whose state, axis, graph and texts these are
  constructor(page) {
    this.page = page;
    this.listUsed = -Infinity; // when somebody last did something with a list to choose from
    this.functions = new SortedTable("Functions", FUNCTION_COLUMNS, "Self");
    this.block = new SortedTable("Where threads are blocked", WAIT_COLUMNS, "Self");
    this.mutex = new SortedTable("Locks: where they are held while others wait", HOLD_COLUMNS,
      "Self");
    this.threads = new SortedTable("Threads",
      threadColumns((row) => page.showThread(row), (row) => this.findThread(row.owner)), "CPU");
    byId("panel-functions").append(this.functions.box);
    byId("panel-threads").prepend(this.threads.box);
    byId("panel-waits").append(this.block.box, this.mutex.box);
    for (const name of ["focusin", "keydown", "pointerdown"])
      document.addEventListener(name, (event) => {
        if (event.target.tagName === "SELECT") this.listUsed = performance.now();
      });
  }

  async fetch() {
    this.asked = { ...this.page.state }; // while answers come, that may change
    const { tab, type } = this.asked;
    await {
      flame: () => this.fetchFlame(type), functions: () => this.fetchFunctions(type),
      threads: () => this.fetchThreads(), waits: () => this.fetchWaits(),
      runtime: () => this.fetchRuntime(),
    }[tab]();
  }

  words(type) {
    const { range, base } = this.asked;
    return { type, ...wordsOfRange("", range), ...wordsOfRange("base_", base) };
  }

  // most: functions, 0: all that tables want. view.before: the same of the range compared with
  async fetchView(type, most = 0) {
    const { page } = this, { range, base } = this.asked;
    const count = most || (base ? PAIRED_MOST : FUNCTIONS_MOST);
    // A kind is counted from the first question on; the table of threads is of CPU time.
    if (type === "wall" && !this.cpuCounted) await askJson("api/v1/top", { type: "cpu", count: 1 });
    this.cpuCounted ||= type === "cpu" || type === "wall";
    const view = await askJson("api/v1/top", { type, count, ...wordsOfRange("", range) });
    view.before = base && await this.fetchBefore({ type, count, ...wordsOfRange("", base) });
    if (view.uptime_ns) page.uptime = view.uptime_ns / 1e9;
    page.axis.kept = [view.range.kept_from_ns / 1e6, view.range.kept_to_ns / 1e6];
    view.span = this.spanOf(view);
    showQuality(view);
    if (view.end === "ended") page.end();
    page.said.ofPicture(this.notSampled(type, view));
    return view;
  }

  async fetchBefore(words) {
    try {
      return await askJson("api/v1/top", words);
    } catch (error) {
      if (error instanceof Refusal && error.status === WRONG)
        error.message = `Of the range that is compared with: ${error.message}`;
      throw error;
    }
  }

  // Which time of what is asked for a picture is of, in words.
  spanOf(view) {
    const { range, base, paused } = this.asked;
    const chosen = (one, of) => spanText(seenOf(one), of[1] - of[0]);
    this.seen = seenOf(view);
    const now = range ? chosen(view, range) : !secondsOf(view) ? "nothing yet"
      : paused ? spanText(this.seen)
        : `the last ${lengthText(lengthOf(view))} (${endsText(this.seen)})`;
    return base ? `${now}, compared with ${chosen(view.before, base)}` : now;
  }

  async fetchFlame(type) {
    const { page } = this, { graph } = page, view = await this.fetchView(type, 1);
    const text = await (await ask("api/v1/flame", this.words(type))).text();
    if (page.state.tab !== "flame" || page.state.file || page.state.type !== type) return;
    if (performance.now() - this.listUsed < LIST_MS && page.shown) return; // it would close
    const data = decode(text);
    Object.assign(data.profiles[data.profiles.length - 1], { duration: view.span, date: "" });
    graph.adopt(data);
    if (!graph.whole && byId("state").hidden)
      page.said.ofPicture(view.range.kept_to_ns - view.range.kept_from_ns < 3e9 && !this.asked.range
        ? `${BEGUN[type]} has just begun: the first picture takes about two seconds.`
        : graph.only.size ? `Nothing was seen of ${graph.onlyText}.`
          : `Nothing of this kind was seen: ${NOTHING[type]}`);
  }

  // Nobody is sampled unasked, so that there may be nothing of a time in which threads ran.
  notSampled(type, view) {
    const { range } = this.asked, { before } = view;
    if (!["cpu", "wall"].includes(type)) return "";
    const which = range && !view.window_samples ? "this range"
      : before && !before.window_samples ? "the range that is compared with" : "";
    return which && `There is no sample of ${which}: no thread ran, or nobody looked then ` +
      "(threads are sampled only while somebody asks).";
  }

  async fetchFunctions(type) {
    const view = await this.fetchView(type);
    const { size } = this.page.graph.only, of = size ? " · of all threads" : "";
    this.functions.show(this.functionsOf(view), view.span + of, "Nothing of this kind was seen.");
  }

  // Times of the range that is compared with are told as if it had been as long.
  functionsOf(view) {
    const { functions, before } = view;
    if (!before) return functions;
    const scale = lengthOf(view) / lengthOf(before);
    const scaled = before.functions.map((row) => ({ ...row,
      self_delay_ns: row.self_delay_ns * scale, total_delay_ns: row.total_delay_ns * scale }));
    return paired(functions, scaled, keyOfFunction, NO_FUNCTION);
  }

  // The server tells the CPU time of threads of the last seconds; that of other ranges their
  // samples have.
  async findCpuTimes(view) {
    const data = decode(await (await ask("api/v1/flame", this.words("cpu"))).text());
    const views = view.before ? [view.before, view] : [view]; // in the order of the flame graph
    views.forEach((one, side) => {
      const times = timesByThread(data, side), whole = lengthOf(one) * 1e6;
      for (const row of one.threads)
        row.cpu_percent = (100 * (times.get(String(row.tid)) || 0)) / whole;
    });
  }

  async fetchThreads() {
    const view = await this.fetchView("cpu", 1), { range, base } = this.asked;
    if (range || base) await this.findCpuTimes(view);
    const rows = base ? paired(view.threads, view.before.threads, keyOfThread, NO_THREAD)
      : view.threads;
    this.threads.show(rows, view.span, "No threads are known yet.");
  }

  async fetchWaits() {
    const block = await this.fetchView("block");
    this.block.show(this.functionsOf(block), block.span, "Nobody waited for anything but work.");
    const mutex = await this.fetchView("mutex");
    this.mutex.show(this.functionsOf(mutex), mutex.span, "Nobody waited for a lock.");
  }

  async fetchRuntime() {
    const runtime = await askJson("api/profiling/runtime");
    showRuntime(byId("panel-runtime"), runtime, await askJson("api/profiling/gc"));
    this.page.said.ofPicture("");
  }

  findThread(tid) {
    const rows = this.threads.sorted(), at = rows.findIndex((row) => row.tid === tid);
    const line = this.threads.body.children[at];
    if (!line) return;
    line.scrollIntoView({ block: "center" });
    line.classList.add("found");
    setTimeout(() => line.classList.remove("found"), 2000);
  }
}
