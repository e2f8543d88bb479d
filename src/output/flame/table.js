// SPDX-License-Identifier: MIT
// The table of functions: what the flame graph says, for those who do not see it or want numbers.
// Only the rows that are in sight exist.
"use strict";

const LINE = 44, SPARE = 6; // pixels of a row; rows beyond those in sight

class FunctionTable {
  // page: what the table asks: nameOf(frame), placeOf(frame), and tells: choose(frame, zoom)
  constructor(page, by) {
    this.page = page;
    this.grid = document.getElementById("grid");
    this.body = document.getElementById("rows");
    this.space = document.getElementById("space");
    this.rows = [];
    this.active = 0;
    this.order = { by, down: true };
    this.body.addEventListener("scroll", () => this.draw());
    this.grid.addEventListener("keydown", (event) => this.key(event));
    this.space.addEventListener("click", (event) => this.click(event, false));
    this.space.addEventListener("dblclick", (event) => this.click(event, true));
    for (const head of this.grid.querySelectorAll("[data-by]"))
      head.firstElementChild.addEventListener("click", () => this.sortBy(head.dataset.by));
  }

  // rows: {frame, self, total, before}; whole: what 100 % is; two: it is a difference
  show(rows, whole, unit, two) {
    Object.assign(this, { rows, whole, unit, two });
    this.sort();
  }

  sortBy(by) {
    this.order = { by, down: this.order.by === by ? !this.order.down : by !== "name" };
    this.sort();
  }

  sort() {
    const { by, down } = this.order, turn = down ? -1 : 1;
    const key = {
      name: null, self: (row) => row.self, total: (row) => row.total,
      change: (row) => Math.abs(row.total - row.before),
    }[by];
    const names = (a, b) => (this.page.nameOf(a.frame) < this.page.nameOf(b.frame) ? -1 : 1);
    this.rows.sort((a, b) => (key ? turn * (key(a) - key(b)) || b.total - a.total
      : turn * names(a, b)));
    for (const head of this.grid.querySelectorAll("[data-by]"))
      head.setAttribute("aria-sort",
        head.dataset.by !== by ? "none" : down ? "descending" : "ascending");
    this.grid.setAttribute("aria-rowcount", this.rows.length + 1);
    this.space.style.height = `${this.rows.length * LINE}px`;
    this.active = Math.min(this.active, Math.max(this.rows.length - 1, 0));
    this.draw();
  }

  draw() {
    const first = Math.max(Math.floor(this.body.scrollTop / LINE) - SPARE, 0);
    const last = Math.min(first + Math.ceil(this.body.clientHeight / LINE) + 2 * SPARE,
      this.rows.length);
    const list = [];
    for (let i = first; i < last; i++) list.push(this.row(i));
    this.space.replaceChildren(...list);
    const active = document.getElementById(`row-${this.active}`);
    if (active) this.grid.setAttribute("aria-activedescendant", active.id);
    else this.grid.removeAttribute("aria-activedescendant");
  }

  row(number) {
    const row = this.rows[number], page = this.page;
    const line = element("div", "row", "", "row");
    line.id = `row-${number}`;
    line.setAttribute("aria-rowindex", number + 2);
    line.setAttribute("aria-selected", row.frame === page.marked());
    line.classList.toggle("active", number === this.active);
    line.style.top = `${number * LINE}px`;
    line.dataset.number = number;
    const name = cellOf(page.nameOf(row.frame), page.placeOf(row.frame), "name");
    name.title = page.nameOf(row.frame);
    name.prepend(element("i", `swatch m${page.hueOf(row.frame)}`));
    line.append(name, this.figure(row.self), this.figure(row.total));
    if (this.two) line.append(this.changeCell(row));
    return line;
  }

  figure(value) {
    return cellOf(percent(value, this.whole), amount(value, this.unit), "figure");
  }

  // In points of a percent of the whole, and of what it was.
  changeCell(row) {
    const points = (100 * (row.total - row.before)) / (this.whole || 1);
    const cell = cellOf(signed(points, 2), changeText(row.before, row.total), "figure change");
    cell.prepend(element("i", `swatch d${stepOf(row.before, row.total)}`));
    return cell;
  }

  click(event, zoom) {
    const line = event.target.closest(".row");
    if (!line) return;
    this.active = Number(line.dataset.number);
    this.page.choose(this.rows[this.active].frame, zoom);
    this.draw();
  }

  key(event) {
    if (event.target !== this.grid) return; // a button of the head
    const page = Math.max(Math.floor(this.body.clientHeight / LINE) - 1, 1);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity,
      End: Infinity };
    if (event.key in steps) {
      this.active = Math.min(Math.max(this.active + steps[event.key], 0), this.rows.length - 1);
      this.reveal();
    } else if ((event.key === "Enter" || event.key === " ") && this.rows[this.active]) {
      this.page.choose(this.rows[this.active].frame, event.key === "Enter");
    } else return;
    event.preventDefault();
    event.stopPropagation();
    this.draw();
  }

  reveal() {
    const top = this.active * LINE, bottom = top + LINE;
    if (top < this.body.scrollTop) this.body.scrollTop = top;
    if (bottom > this.body.scrollTop + this.body.clientHeight)
      this.body.scrollTop = bottom - this.body.clientHeight;
  }
}

function element(tag, className, text = "", role = "") {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text) made.textContent = text;
  if (role) made.setAttribute("role", role);
  return made;
}

function cellOf(main, under, className) {
  const cell = element("div", className, "", "gridcell");
  cell.append(element("b", "", main), element("small", "", under));
  return cell;
}
