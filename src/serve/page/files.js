// SPDX-License-Identifier: MIT
// Files: those that buttons take away, and those that are dropped on the page.
"use strict";

// id of the button: [path behind the prefix, seconds that it takes at least, what is being made,
// how the file's name begins]
const TAKEN = {
  "get-cpu": ["profile?seconds=30", 30, "CPU profile", "cpu"],
  "get-heap": ["heap", 0, "Heap census", "heap"],
  "get-threads": ["goroutine", 0, "Thread dump", "threads"],
};

// Of what, which kind and when (UTC), as a shell takes it without quotes.
function nameOfFile(target, word) {
  const when = new Date().toISOString().replace(/[-:]|\.\d+/g, "");
  return `${target.replace(/[^\w.]+/g, "_").slice(0, 100)}-${word}-${when}.pb.gz`;
}

function saveAs(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

const OPENED = "What can be opened here are profiles for pprof (profile.proto, zipped too) " +
  "and collapsed stacks (root;...;leaf COUNT). Of other files ptprof flamegraph makes pages.";

class Files {
  // opened(data, name): told when a file has been read
  constructor(opened) {
    this.opened = opened;
    this.prefix = "debug/pprof"; // of the paths that Go programs have
    this.target = ""; // what files that are taken away are of
    this.under = new Map(); // buttons whose file is being made -> how to stop that
    for (const id of Object.keys(TAKEN))
      byId(id).addEventListener("click", () => this.take(id));
    byId("open").addEventListener("click", () => byId("open-file").click());
    byId("open-file").addEventListener("change", (event) => {
      if (event.target.files[0]) this.open(event.target.files[0]);
      event.target.value = "";
    });
    this.listenToDrops();
  }

  async take(id) {
    const [path, seconds, title, word] = TAKEN[id], button = byId(id);
    if (this.under.has(id)) {
      this.under.get(id).abort();
      return;
    }
    const stop = new AbortController(), text = button.textContent, begun = performance.now();
    const count = () => {
      const left = Math.ceil(seconds - (performance.now() - begun) / 1000);
      button.textContent = left > 0 ? `${title}: ${left} s, stop` : `${title}: soon, stop`;
    };
    this.under.set(id, stop);
    button.setAttribute("aria-busy", "true");
    count();
    const timer = setInterval(count, 500);
    try {
      const reply = await ask(`${this.prefix}/${path}`, {}, { signal: stop.signal });
      const name = nameOfFile(this.target, word), blob = await reply.blob();
      saveAs(blob, name);
      this.say(`${name} (${amount(blob.size, "bytes")}) is saved.`,
        () => this.open(new File([blob], name)));
    } catch (error) {
      this.say(error.name === "AbortError" ? `${title} was stopped.`
        : `${title}: ${error.message}`);
    } finally {
      clearInterval(timer);
      this.under.delete(id);
      button.removeAttribute("aria-busy");
      button.textContent = text;
    }
  }

  say(text, look) {
    const said = byId("action-text");
    said.replaceChildren(element("span", "", text));
    if (!look) return;
    const button = element("button", "link", "Look at it here");
    button.type = "button";
    button.addEventListener("click", look);
    said.append(" ", button);
  }

  async open(file) {
    try {
      this.opened(cellsOf(readFile(await unpacked(file)), file.name), file.name);
      this.say("");
    } catch (error) {
      this.say(`${file.name} cannot be opened: ${error.message}. ${OPENED}`);
    }
  }

  listenToDrops() {
    const has = (event) => [...event.dataTransfer.types].includes("Files");
    const on = (name, act) => document.addEventListener(name, (event) => {
      if (!event.dataTransfer || !has(event)) return;
      event.preventDefault();
      act(event);
    });
    on("dragover", () => { byId("drop").hidden = false; });
    on("dragleave", (event) => { if (!event.relatedTarget) byId("drop").hidden = true; });
    on("drop", (event) => {
      byId("drop").hidden = true;
      if (event.dataTransfer.files[0]) this.open(event.dataTransfer.files[0]);
    });
  }
}
