// SPDX-License-Identifier: MIT
// The page: its state, what it asks for and when, and what keys and buttons do.
"use strict";

const TYPED = ["flame", "functions"]; // tabs that show the type that is chosen
const HEALTH_MS = 10000, TARGETS_MS = 5000, GONE = 410; // GONE: status of HTTP

// In a row that is wider than the screen; the page does not move.
function bringIntoSight(button) {
  const row = button.parentElement, left = button.offsetLeft - row.offsetLeft;
  const least = left + button.offsetWidth - row.clientWidth;
  row.scrollLeft = Math.min(Math.max(row.scrollLeft, least), left);
}

class Dashboard {
  constructor() {
    this.theme = new Theme(() => this.recolor());
    this.graph = new LiveGraph(() => this.remember());
    this.axis = new Axis((range, base) => this.set({ range, base }), () => this.showRange());
    this.readings = new Readings(this.axis, (reading) => this.newReading(reading),
      (error) => this.noReadings(error));
    this.files = new Files((data, name) => this.showFile(data, name));
    this.said = new Said();
    this.views = new Views(this);
    this.drawn = {}; // tab -> what its panel shows, as wanted() says it
    this.uptime = -1;
    this.makeParts();
    this.state = {};
    this.apply();
    this.theme.apply();
    this.listen();
    this.lookAtTargets();
    setInterval(() => this.lookAtHealth(), HEALTH_MS);
  }

  // --- parts

  makeParts() {
    makeStats();
    for (const spec of CHARTS) byId("charts").append(new Chart(spec, this.axis).figure);
    this.makeChoices("tabs", TABS, "tab", (tab) => this.set({ tab, file: null }));
    this.makeChoices("types", Object.fromEntries(Object.entries(MEASURES)
      .map(([word, [title]]) => [word, title])), "radio", (type) => this.set({ type, file: null }));
  }

  makeChoices(id, words, role, act) {
    for (const [word, title] of Object.entries(words)) {
      const button = element("button", "", title, role);
      button.type = "button";
      button.id = `${role}-${word}`;
      button.dataset.word = word;
      if (role === "tab") button.setAttribute("aria-controls", `panel-${word}`);
      button.addEventListener("click", () => act(word));
      byId(id).append(button);
    }
    byId(id).addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key], list = [...byId(id).children];
      if (!step) return;
      const next = list[(list.indexOf(event.target) + step + list.length) % list.length];
      next.focus();
      next.click();
      event.preventDefault();
      event.stopPropagation();
    });
  }

  // --- state

  set(change) {
    Object.assign(this.state, change);
    this.shown = null;
    this.showState();
    this.remember();
    this.again();
  }

  // As the address says.
  apply() {
    const [state, graph, theme, only] = readWords();
    const paused = this.state.paused;
    Object.assign(this.state, state);
    this.graph.wanted = graph;
    this.graph.askFor(only);
    Object.assign(this.axis, { range: state.range, base: state.base, whole: state.whole });
    this.theme.own = theme;
    if (this.graph.data) this.graph.set({ ...graph, chosen: this.graph.chosen() });
    else Object.assign(this.graph.state, graph);
    byId("search").value = graph.search;
    if (this.target && paused !== state.paused) this.goOn(!state.paused);
    this.shown = null;
    this.showState();
  }

  remember() {
    if (!this.state.file) writeWords(wordsOf(this.state, this.graph, this.theme));
  }

  goOn(on) {
    if (on) this.readings.start();
    else this.readings.stop();
  }

  pause() {
    this.state.paused = !this.state.paused;
    this.goOn(!this.state.paused);
    this.showState();
    this.remember();
    this.again();
  }

  recolor() {
    this.graph.recolor();
    this.axis.recolor();
  }

  // --- what is shown of the state

  showState() {
    const { state, axis } = this, file = state.file;
    document.body.classList.toggle("no-target", !this.target);
    document.body.classList.toggle("has-file", !!file);
    byId("pause").textContent = state.paused ? "Resume" : "Pause";
    byId("pause").setAttribute("aria-pressed", state.paused);
    byId("history").setAttribute("aria-pressed", state.whole);
    byId("compare").setAttribute("aria-pressed", axis.second);
    byId("live").hidden = !state.range && !state.base && !file;
    byId("live").textContent = file ? "Close the file" : "Back to live";
    for (const button of byId("tabs").children) {
      const chosen = button.dataset.word === state.tab;
      button.setAttribute("aria-selected", chosen);
      button.tabIndex = chosen ? 0 : -1;
      byId(`panel-${button.dataset.word}`).hidden = !chosen;
      if (chosen) bringIntoSight(button);
    }
    for (const button of byId("types").children) {
      button.setAttribute("aria-checked", button.dataset.word === state.type);
      button.tabIndex = button.dataset.word === state.type ? 0 : -1;
    }
    byId("types").hidden = !TYPED.includes(state.tab) || !!file;
    byId("measures").textContent = file ? `The file ${file}. It was read here and sent nowhere.`
      : OTHERS[state.tab] || MEASURES[state.type][1];
    byId("table-toggle").hidden = state.tab !== "flame";
    byId("quality").hidden = !!file || state.tab === "runtime";
    byId("about").hidden = state.tab !== "flame";
    this.showRange();
  }

  showRange() {
    const text = this.rangeText();
    if (byId("range-text").textContent !== text) byId("range-text").textContent = text;
  }

  rangeText() {
    const { range, base } = this.axis.draft ? this.axis : this.state;
    if (this.axis.second && !this.axis.draft) return "Drag on a chart: the range to compare with.";
    const ranges = [range ? spanText(range) : "Now", ...(base ? [spanText(base)] : [])];
    return range || base ? `${ranges.join(", compared with ")}. ${zoneText()}`
      : `Charts: ${this.axis.spanText()}${this.state.paused ? " before the pause" : ""}. ` +
        `Drag on one to choose a range. ${zoneText()}`;
  }

  // --- what is asked for

  // Asks now, and then again and again. Nobody is sampled for a page that is not looked at.
  again() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.again(), READING_MS);
    if (this.busy || document.hidden || !this.target) return;
    if (this.ended) this.showEnd();
    const { state } = this, { tab } = state, key = this.wanted();
    if (this.ended || state.file || (this.shown === key && (state.paused || state.range))) return;
    if (state.paused && !state.range && this.shown) return;
    this.busy = true;
    this.views.fetch().then(() => this.took(tab, key),
      (error) => this.fail(error)).finally(() => {
      this.busy = false;
      if (this.ended || this.wanted() !== key) this.again();
    });
  }

  took(tab, key) {
    this.said.heard();
    if (this.wanted() === key) this.shown = this.drawn[tab] = key;
  }

  // What the chosen tab is to show.
  wanted() {
    const { tab, type, range, base } = this.state;
    return JSON.stringify([tab, TYPED.includes(tab) ? type : "", range, base]);
  }

  // What was drawn of a process that has ended stays; nothing else can be had of it.
  showEnd() {
    const { tab, file } = this.state, gone = !file && this.drawn[tab] !== this.wanted();
    this.said.ofPicture(!gone ? "" : tab === "runtime" ? FACTS_GONE : STACKS_GONE, gone);
  }

  fail(error) {
    if (!(error instanceof Refusal)) throw error;
    if (error.status === 0) this.said.failed(error);
    else if (error.status === GONE) this.end();
    else this.said.ofPicture(error.message, this.drawn[this.state.tab] !== this.wanted());
  }

  // --- figures

  newReading(reading) {
    showStats(reading, this.uptime);
    this.showRange();
  }

  noReadings(error) {
    if (!error) this.said.show({ silence: "", failure: "" });
    else if (error.status === GONE) this.end();
    else this.said.failed(error);
  }

  async lookAtHealth() {
    if (document.hidden || !this.target || this.ended || this.state.paused) return;
    try {
      const health = await askJson("api/profiling/health");
      showHealth(health);
      if (health.uptime_seconds) this.uptime = health.uptime_seconds;
    } catch {
      byId("health").hidden = true;
    }
  }

  // The button of other dashboards says why it can do nothing.
  async sayWhyNot() {
    let why = "this program collects it when it wants to, and cannot be told to from outside.";
    try {
      const { unavailable = {} } = await askJson("api/profiling/gc");
      why = unavailable.num_gc ? `${unavailable.num_gc}.` : why;
    } catch (error) {
      why = error.message;
    }
    byId("collect").title = `Garbage cannot be collected: ${why}`;
    return byId("collect").title;
  }

  // --- targets

  // Who there is, again and again: processes come, and one that has ended may come back.
  async lookAtTargets() {
    setTimeout(() => this.lookAtTargets(), TARGETS_MS);
    if (!document.hidden || !this.target) await this.lookOnce();
  }

  async lookOnce() {
    try {
      const { targets, prefix } = await askJson("api/v1/targets");
      this.said.heard();
      this.takeTargets(targets);
      this.usePrefix(prefix);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.said.failed(error);
    }
  }

  takeTargets(targets) {
    const path = /\/targets\/([^/]+)\/$/.exec(location.pathname);
    const asked = path ? decodeURIComponent(path[1])
      : new URLSearchParams(location.search).get("target");
    const found = asked ? targets.find((one) => one.id === asked || String(one.pid) === asked)
      : targets.length === 1 ? targets[0] : null;
    const news = JSON.stringify([targets, asked]);
    if (news === this.news || document.activeElement === byId("target")) return;
    this.news = news;
    if (found && !path) server.base = `targets/${encodeURIComponent(found.id)}/`;
    const back = found && (!this.target || this.ended !== (found.running === false));
    this.target = found || this.target;
    this.fillTargets(targets);
    byId("choices").replaceChildren();
    this.showState();
    if (!this.target) this.letChoose(targets, asked);
    else if (back) this.begin();
  }

  begin() {
    this.ended = this.target.running === false;
    this.files.target = this.target.id;
    document.title = `${this.target.comm || this.target.id} · ptprof`;
    this.said.ofPicture("");
    this.said.show({ ended: this.ended, failure: "" });
    if (this.state.paused || this.ended) this.readings.load();
    else this.readings.start();
    this.again();
    this.lookAtHealth();
    this.sayWhyNot();
  }

  end() {
    this.ended = true;
    this.readings.end();
    this.said.show({ ended: true });
    this.showState();
  }

  // Where the paths are that Go programs have.
  usePrefix(prefix) {
    this.files.prefix = prefix.replace(/^\//, "");
    byId("threads-text").href = `${server.base}${this.files.prefix}/goroutine?debug=2`;
  }

  fillTargets(targets) {
    const select = byId("target");
    const text = (one) => `${one.comm} (${one.pid})${one.running === false ? ", ended" : ""}`;
    select.replaceChildren(...targets.map((one) => option(text(one), one.id)));
    if (!this.target) select.prepend(option("choose one…", "", true));
    select.value = this.target ? this.target.id : "";
  }

  // Several targets, and none is chosen: a list of them in place of the rest, but of a file.
  letChoose(targets, asked) {
    if (this.state.file) return;
    for (const one of targets) {
      const item = element("li"), link = element("a", "", one.comm || one.id);
      link.href = this.pathOf(one.id);
      const facts = [one.id, `pid ${one.pid}`, one.user, one.unit || one.container,
        one.running === false ? "ended" : ""].filter(Boolean);
      item.append(link, element("small", "", facts.join(" · ")),
        element("code", "", one.cmdline || ""));
      item.title = one.cmdline || "";
      byId("choices").append(item);
    }
    this.said.ofPicture(asked
      ? `There is no target ${asked}${targets.length ? "; there are these:" : "."}`
      : targets.length ? "Several processes can be looked at. Which one?"
        : "No process matches yet. It will appear here when one does.");
  }

  pathOf(id) {
    const base = location.pathname.replace(/targets\/[^/]+\/$|[^/]*$/, "");
    return `${base}targets/${encodeURIComponent(id)}/`;
  }

  // --- from one panel to another

  showThread(row) {
    this.graph.askFor([["tid", String(row.tid)]]);
    this.set({ tab: "flame", type: "wall" });
  }

  showFile(data, name) {
    byId("choices").replaceChildren();
    this.set({ tab: "flame", file: name });
    this.said.ofPicture("");
    this.graph.open(data);
  }

  backToLive() {
    const wasFile = this.state.file;
    this.state.file = null;
    if (!wasFile) this.axis.clear();
    else if (this.target) this.set({});
    else {
      this.showState();
      this.news = ""; // the list of targets is to be shown again
      this.lookOnce();
    }
  }

  // --- keys and buttons

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || byId("help").open) return;
    if (/^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
    if (event.key === "Enter" && /^(BUTTON|A|SUMMARY)$/.test(event.target.tagName)) return;
    const act = {
      p: () => this.pause(), h: () => this.showWhole(), c: () => this.startCompare(),
      d: () => this.changeTheme(), "?": () => byId("help").showModal(),
    }[event.key];
    const tab = Object.keys(TABS)[Number(event.key) - 1];
    if (act) act();
    else if (tab) this.set({ tab, file: null });
    else if (!this.graphTakes(event)) return;
    event.preventDefault();
  }

  // Arrows and PageDown scroll the page, unless the graph has been chosen by a click or Tab; and
  // then PageDown does when the graph is at its end.
  graphTakes(event) {
    const { graph } = this;
    if (this.state.tab !== "flame" || !graph.data) return false;
    if (!/^(Arrow|Page)/.test(event.key)) return graph.key(event);
    const { top } = graph.view;
    return event.target === byId("canvas") && graph.key(event) &&
      (/^Arrow/.test(event.key) || graph.view.top !== top);
  }

  showWhole() {
    this.state.whole = this.axis.whole = !this.state.whole;
    this.axis.paint();
    this.showState();
    this.remember();
  }

  startCompare() {
    this.axis.second = !this.axis.second;
    this.showState();
  }

  changeTheme() {
    this.theme.toggle();
    this.remember();
  }

  listen() {
    const click = (id, act) => byId(id).addEventListener("click", act);
    click("pause", () => this.pause());
    click("history", () => this.showWhole());
    click("compare", () => this.startCompare());
    click("live", () => this.backToLive());
    click("collect", async () => this.files.say(await this.sayWhyNot()));
    click("theme", () => this.changeTheme());
    click("help-open", () => byId("help").showModal());
    byId("target").addEventListener("change", (event) =>
      location.assign(this.pathOf(event.target.value)));
    document.addEventListener("keydown", (event) => this.key(event));
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.again(); });
    window.addEventListener("popstate", () => {
      this.state.file = null;
      this.apply();
      this.theme.apply();
      this.again();
    });
    new ResizeObserver(() => this.axis.resize()).observe(byId("charts"));
  }
}
