// SPDX-License-Identifier: MIT
// Tables that can be sorted. All texts are the target's, and only ever become textContent.
"use strict";

const ROWS_MOST = 500;

// Rows of two ranges as one list: row.was is what the range that is compared with has of the same
// thing. empty: the figures of what one of them has nothing of.
function paired(rows, before, keyOf, empty) {
  const left = new Map(before.map((row) => [keyOf(row), row]));
  const pairs = rows.map((row) => {
    const was = left.get(keyOf(row));
    left.delete(keyOf(row));
    return { ...row, was: was || empty };
  });
  return [...pairs, ...[...left.values()].map((row) => ({ ...row, ...empty, was: row }))];
}

class SortedTable {
  // columns: [{ title, text(row), by(row): what it is sorted by, wide, figure, hint, act(row),
  // under(row): a second line, was(row): the same of the range compared with, two: only if there is
  // one }]
  // first: the title of the column that it is sorted by
  constructor(title, columns, first) {
    const by = columns.findIndex((column) => column.title === first);
    Object.assign(this, { title, columns, first: { by, down: true }, rows: [], span: "" });
    this.order = this.first;
    this.opened = new Set(); // texts that are shown as a whole
    this.box = element("div", "table-box");
    this.table = element("table");
    const caption = element("caption");
    this.caption = element("span", "", title);
    caption.append(this.caption);
    const head = element("thead"), line = element("tr");
    this.heads = columns.map((column, i) => {
      const cell = element("th", column.figure ? "figure" : ""), button = element("button", "",
        column.title);
      cell.scope = "col";
      button.type = "button";
      if (column.hint) button.title = column.hint;
      button.addEventListener("click", () => this.sortBy(i));
      cell.append(button);
      line.append(cell);
      return cell;
    });
    head.append(line);
    this.body = element("tbody");
    this.none = element("p", "none");
    this.none.hidden = true;
    this.table.append(caption, head, this.body);
    this.box.append(this.table, this.none);
  }

  sortBy(by) {
    this.order = { by, down: this.order.by === by ? !this.order.down : !!this.columns[by].figure };
    this.draw();
  }

  // span: which time they are of; none: what is said in place of rows, if there are none
  show(rows, span, none) {
    const two = rows.some((row) => row.was);
    if (two !== this.two) this.order = two
      ? { by: this.columns.findIndex((column) => column.two), down: true } : this.first;
    Object.assign(this, { rows, span, two });
    this.none.textContent = none;
    this.draw();
  }

  sorted() {
    const { by, down } = this.order, key = this.columns[by].by || this.columns[by].text;
    const turn = down ? -1 : 1;
    return this.rows.map((row) => [key(row) ?? "", row])
      .sort(([a], [b]) => (a < b ? -turn : a > b ? turn : 0)).map(([, row]) => row);
  }

  draw() {
    const { by, down } = this.order, focus = this.body.contains(document.activeElement);
    if (focus) return; // a button in it is about to be pressed
    this.heads.forEach((head, i) => {
      head.hidden = this.columns[i].two && !this.two;
      head.setAttribute("aria-sort", i !== by ? "none" : down ? "descending" : "ascending");
    });
    const list = this.sorted();
    this.body.replaceChildren(...list.slice(0, ROWS_MOST).map((row) => this.line(row)));
    this.caption.textContent = [this.title, this.span,
      list.length > ROWS_MOST ? `the first ${ROWS_MOST} of ${list.length}` : ""].filter(Boolean)
      .join(" · ");
    this.none.hidden = list.length > 0;
    this.body.parentElement.tHead.hidden = !list.length;
  }

  line(row) {
    const line = element("tr");
    for (const column of this.columns) {
      if (column.two && !row.was) continue;
      const cell = element("td", column.figure ? "figure" : column.wide ? "wide" : "");
      const text = String(column.text(row) ?? "");
      if (column.wide) this.makeWide(cell, text);
      if (column.act && text) {
        const button = element("button", "link", text);
        button.type = "button";
        button.addEventListener("click", () => { button.blur(); column.act(row); });
        cell.append(button);
      } else cell.append(element("span", "", text));
      if (column.under) cell.append(element("small", "", column.under(row)));
      if (column.was && row.was) cell.append(element("small", "", `before ${column.was(row)}`));
      line.append(cell);
    }
    return line;
  }

  // Of long names three lines are shown, all by a tap: names of C++ can fill a screen.
  makeWide(cell, text) {
    cell.title = text;
    cell.classList.toggle("whole", this.opened.has(text));
    cell.addEventListener("click", () => {
      if (!this.opened.delete(text)) this.opened.add(text);
      cell.classList.toggle("whole");
    });
  }
}

const share = (value) => (value === null || value === undefined ? "–" : `${value.toFixed(1)} %`);
const fileLine = (row) => (row.file ? `${row.file.replace(/^.*\//, "")}:${row.line}` : "");
const functionColumn = { title: "Function", wide: true, text: (row) => row.function,
  under: (row) => [row.module, fileLine(row), row.inlined ? "inlined" : ""].filter(Boolean)
    .join(" · ") };

const FUNCTION_COLUMNS = [
  functionColumn,
  { title: "Change", figure: true, two: true, hint: "Of total, in points of a percent",
    text: (row) => signed(row.total_percent - row.was.total_percent),
    under: (row) => changeText(row.was.total_percent, row.total_percent),
    by: (row) => Math.abs(row.total_percent - row.was.total_percent) },
  { title: "Self", figure: true, text: (row) => share(row.self_percent),
    was: (row) => share(row.was.self_percent), by: (row) => row.self_percent,
    hint: "The function itself" },
  { title: "Total", figure: true, text: (row) => share(row.total_percent),
    was: (row) => share(row.was.total_percent), by: (row) => row.total_percent,
    hint: "With all that it calls" },
  { title: "Samples", figure: true, text: (row) => row.self_samples,
    by: (row) => row.self_samples, hint: "With it as the innermost function" },
  { title: "Threads", figure: true, text: (row) => row.threads, by: (row) => row.threads },
];
const NO_FUNCTION = { self_percent: 0, total_percent: 0, self_samples: 0, threads: 0,
  self_delay_ns: 0, total_delay_ns: 0 };
const keyOfFunction = (row) => `${row.function}\0${row.module}\0${row.file}`;

const time = (ns) => amount(ns, "nanoseconds");
const waitColumns = (waits) => [
  functionColumn,
  { title: "Change", figure: true, two: true,
    hint: "Of total. What was before is told as if that range had been as long",
    text: (row) => changeText(row.was.total_delay_ns, row.total_delay_ns),
    by: (row) => Math.abs(row.total_delay_ns - row.was.total_delay_ns) },
  waits,
  { title: "Self", figure: true, text: (row) => time(row.self_delay_ns),
    was: (row) => time(row.was.self_delay_ns), by: (row) => row.self_delay_ns,
    hint: "Time of the range, the function being innermost" },
  { title: "Total", figure: true, text: (row) => time(row.total_delay_ns),
    was: (row) => time(row.was.total_delay_ns), by: (row) => row.total_delay_ns },
  { title: "Share", figure: true, text: (row) => share(row.total_percent),
    was: (row) => share(row.was.total_percent), by: (row) => row.total_percent },
];
// A function may wait for several things: the one that takes most is named.
const WAIT_COLUMNS = waitColumns({ title: "Waits mostly for",
  text: (row) => [row.waits_for, row.lock].filter(Boolean).join(" ") });
const HOLD_COLUMNS = waitColumns({ title: "Holds mostly", text: (row) => row.lock || "a lock" });

// show(row): stacks of that thread; find(tid): the row of another one
const threadColumns = (show, find) => [
  { title: "Thread", wide: true, text: (row) => row.name || "(no name)", act: show,
    under: (row) => (row.ended ? "ended" : `tid ${row.tid}`) },
  { title: "Change", figure: true, two: true, hint: "In points of a percent of one CPU",
    text: (row) => signed(row.cpu_percent - row.was.cpu_percent),
    by: (row) => Math.abs(row.cpu_percent - row.was.cpu_percent) },
  { title: "State", text: (row) => STATES[row.state] || row.state },
  { title: "CPU", figure: true, text: (row) => share(row.cpu_percent),
    was: (row) => share(row.was.cpu_percent), by: (row) => row.cpu_percent ?? -1,
    hint: "Of one CPU" },
  { title: "Where", wide: true, text: (row) => row.where },
  { title: "Waits", wide: true, text: (row) => row.wait },
  { title: "Held by", text: (row) => row.owner || "", act: find, by: (row) => row.owner || 0 },
  { title: "Samples", figure: true, text: (row) => row.samples, by: (row) => row.samples },
  { title: "Stopped", figure: true, text: (row) => time(row.held_ns),
    by: (row) => row.held_ns, hint: "By ptprof, since sampling began" },
];
const NO_THREAD = { cpu_percent: 0, samples: 0, where: "" };
const keyOfThread = (row) => `${row.pid} ${row.tid} ${row.name}`;
