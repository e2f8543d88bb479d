// SPDX-License-Identifier: MIT
// Mouse, pen and fingers on the canvas: point, click, drag, wheel, pinch.
"use strict";

class Pointer {
  constructor(page, canvas) {
    this.page = page;
    this.canvas = canvas;
    this.down = new Map(); // pointer -> where it is
    const on = (name, act) =>
      canvas.addEventListener(name, (event) => act.call(this, event), { passive: false });
    on("pointerdown", this.press);
    on("pointermove", this.move);
    on("pointerup", this.release);
    on("pointercancel", this.cancel);
    on("pointerleave", this.leave);
    on("wheel", this.wheel);
    on("dblclick", () => page.reset());
  }

  at(event) {
    const box = this.canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  press(event) {
    if (event.button !== 0) return;
    this.down.set(event.pointerId, this.at(event));
    this.canvas.setPointerCapture(event.pointerId);
    this.start = this.at(event);
    this.dragged = this.down.size > 1;
  }

  move(event) {
    const { page } = this, now = this.at(event), before = this.down.get(event.pointerId);
    if (!before) {
      if (event.pointerType !== "touch") this.hover(now);
      return;
    }
    if (!this.dragged && Math.hypot(now.x - this.start.x, now.y - this.start.y) < DRAG) return;
    this.dragged = true;
    this.hideTip();
    if (this.down.size === 2) this.pinch(event.pointerId, before, now);
    this.pan(now.x - before.x, now.y - before.y, 1 / this.down.size);
    this.down.set(event.pointerId, now);
    page.paint();
  }

  pan(x, y, part) {
    const { page } = this, { view, drawing } = page;
    const by = (x * part * (view.right - view.left)) / drawing.width;
    page.look(view.left - by, view.right - by);
    page.scrollTo(view.top - y * part);
  }

  pinch(id, before, now) {
    const [, other] = [...this.down].find(([one]) => one !== id);
    const was = Math.hypot(before.x - other.x, before.y - other.y);
    const is = Math.hypot(now.x - other.x, now.y - other.y);
    if (was > 10 && is > 10) this.page.zoomBy(is / was, (now.x + other.x) / 2);
  }

  release(event) {
    const { page } = this, clicked = this.down.delete(event.pointerId) && !this.dragged;
    const node = clicked ? page.drawing.hit(page.scene(), this.start.x, this.start.y) : -1;
    if (node < 0) return;
    page.selected = node;
    page.zoomTo(node);
    page.paint();
  }

  cancel(event) {
    this.down.delete(event.pointerId);
  }

  leave() {
    this.page.hovered = -1;
    this.hideTip();
    this.page.tell(this.page.selected);
    this.page.paint();
  }

  // The wheel scrolls; with Ctrl (as a pinch on a touch pad tells) or Alt it zooms.
  wheel(event) {
    const { page } = this, { x } = this.at(event), unit = event.deltaMode ? ROW : 1;
    event.preventDefault();
    this.hideTip();
    if (event.ctrlKey || event.altKey) page.zoomBy(WHEEL ** (-event.deltaY * unit * 2), x);
    else if (event.shiftKey) this.pan(-(event.deltaY || event.deltaX) * unit, 0, 1);
    else this.pan(-event.deltaX * unit, -event.deltaY * unit, 1);
  }

  hover(now) {
    const { page } = this, node = page.drawing.hit(page.scene(), now.x, now.y);
    this.canvas.style.cursor = node >= 0 ? "pointer" : "";
    if (node < 0) {
      if (page.hovered >= 0) this.leave();
      return;
    }
    if (node !== page.hovered) this.fillTip(node);
    this.placeTip(now);
  }

  fillTip(node) {
    const [name, where, figures] = this.page.describe(node);
    this.page.hovered = node;
    byId("tip").replaceChildren(element("b", "", name), element("span", "", figures),
      element("small", "", where));
    byId("tip").hidden = false;
    this.page.tell(node);
    this.page.paint();
  }

  placeTip({ x, y }) {
    const tip = byId("tip"), { width, height } = this.page.drawing;
    const own = tip.getBoundingClientRect();
    tip.style.left = `${Math.max(4, Math.min(x + 14, width - own.width - 4))}px`;
    tip.style.top = `${y + 22 + own.height < height ? y + 22 : Math.max(4, y - own.height - 10)}px`;
  }

  hideTip() {
    byId("tip").hidden = true;
  }
}
