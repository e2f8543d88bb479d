// SPDX-License-Identifier: MIT
// What stands in the panels and bars beside charts and flame graph.
"use strict";

// Figures of now: [title, text(reading, uptime in s)]
const STATS = [
  ["CPU", (one) => figureText(one.user + one.system, "percent"),
    (one) => `${figureText(one.system, "percent")} in the kernel`],
  ["Memory", (one) => figureText(one.rss, "bytes"), () => "resident"],
  ["Threads", (one) => figureText(one.total, "count"),
    (one) => `${figureText(one.running, "count")} running`],
  ["Waiting for a CPU", (one) => figureText(one.queued, "percent"), () => "of a thread's time"],
  ["Descriptors", (one) => figureText(one.fds, "count"),
    (one) => (Number.isNaN(one.fdsMost) ? "" : `of ${one.fdsMost.toLocaleString("en")}`)],
  ["Uptime", (_, uptime) => (uptime >= 0 ? uptimeText(uptime) : "–"), () => ""],
];

function makeStats() {
  byId("stats").replaceChildren(...STATS.map(([title]) => {
    const box = element("div");
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
    .map((one) => element("li", "", one)));
}

// --- runtime

function flat(value, path = "") {
  if (value === null || typeof value !== "object") return [[path, value]];
  if (Array.isArray(value) && value.every((one) => typeof one !== "object"))
    return [[path, value.join(", ")]];
  return Object.entries(value).flatMap(([key, one]) => flat(one, path ? `${path}.${key}` : key));
}

const CALLED = { num_cpu: "CPUs", num_goroutine: "threads", num_cgo_call: "calls to C",
  pid: "process", num_gc: "collections" };
const LEFT_OUT = ["timestamp", "uptime_seconds", "unavailable"];

function wordsOfPath(path) {
  return path.split(".").map((key) => CALLED[key] || key.replaceAll("_", " ")).join(" · ");
}

// What is known first, then what is not, and why.
function factsOf(title, json) {
  const { unavailable = {} } = json, box = element("section"), list = element("dl", "facts");
  const facts = flat(json).filter(([path]) => !LEFT_OUT.includes(path.split(".")[0]));
  const known = (value) => value !== null && value !== "";
  for (const [path, value] of [...facts.filter(([, one]) => known(one)),
    ...facts.filter(([, one]) => !known(one))]) {
    const why = unavailable[path];
    list.append(element("dt", "", wordsOfPath(path)),
      element("dd", known(value) ? "" : "absent",
        known(value) ? String(value) : `not known${why ? `: ${why}` : ""}`));
  }
  box.append(element("h2", "", title), list);
  return box;
}

function showRuntime(panel, runtime, collection) {
  panel.replaceChildren(factsOf("Runtime", runtime),
    factsOf("Garbage collection and allocator", collection));
}
