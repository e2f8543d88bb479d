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

const runtimeName = (path) => path.replaceAll("_", " ").replaceAll(".", " · ");

function showRuntime(panel, runtime) {
  const { unavailable = {}, ...rest } = runtime, list = element("dl", "facts");
  for (const [path, value] of flat(rest)) {
    const absent = value === null, why = unavailable[path];
    list.append(element("dt", "", runtimeName(path)), element("dd", absent ? "absent" : "",
      absent ? `not known${why ? `: ${why}` : ""}` : String(value)));
  }
  panel.replaceChildren(list);
}
