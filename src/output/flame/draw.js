// SPDX-License-Identifier: MIT
// The canvas. A view is a part [left, right) of the whole and how many pixels are scrolled away.
// What is narrower than a pixel is drawn as one pale cell of a pixel with its neighbours, so a
// picture takes as long as its pixels need, however many cells there are.
"use strict";

const ROW = 20, LEAST = 0.8, LABEL = 22, PAD = 4; // pixels

class Drawing {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d", { alpha: false });
    this.rects = [];
    this.labels = [];
    this.strips = document.createElement("canvas"); // a row of pixels for each level
    canvas.style.visibility = "hidden"; // black, until something is drawn
  }

  resize() {
    const box = this.canvas.parentElement.getBoundingClientRect();
    const ratio = window.devicePixelRatio || 1;
    this.width = Math.max(1, Math.floor(box.width));
    this.height = Math.max(1, Math.floor(box.height));
    this.canvas.width = Math.round(this.width * ratio);
    this.canvas.height = Math.round(this.height * ratio);
    this.ratio = ratio;
  }

  // scene: layout, view, colorOf(node), nameOf(node, room), hits (counted up, by place) or null,
  // selected and hovered (nodes, or -1)
  draw(scene, colors) {
    const context = this.context, { layout, view } = scene;
    this.canvas.style.visibility = "";
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    context.fillStyle = colors.ground;
    context.fillRect(0, 0, this.width, this.height);
    const levels = layout.levels.length - 1, first = Math.max(Math.floor(view.top / ROW), 0);
    const last = Math.min(levels - 1, Math.floor((view.top + this.height) / ROW));
    this.rects = colors.cells.map(() => []);
    this.labels.length = 0;
    const image = new ImageData(this.width, last - first + 1);
    this.pixels = new Uint32Array(image.data.buffer);
    for (let level = first; level <= last; level++)
      this.gather(scene, level, (level - first) * this.width, colors);
    this.drawStrips(image, first * ROW - view.top);
    this.rects.forEach((list, color) => this.fill(list, colors.cells[color]));
    this.write(scene, colors.ink);
    this.mark(scene, colors);
    this.scrollBar(view, levels, colors.bar);
  }

  gather({ layout, view, colorOf, hits }, level, row, colors) {
    const scale = this.width / (view.right - view.left), y = level * ROW - view.top;
    const end = layout.levels[level + 1], { left, cell, size } = layout;
    let i = placeAt(layout, level, view.left);
    if (left[i] + size[cell[i]] <= view.left) i++;
    while (i < end && left[i] < view.right) {
      const x = (left[i] - view.left) * scale, width = size[cell[i]] * scale;
      if (width < LEAST) {
        const pixel = Math.max(Math.floor(x), 0);
        const next = placeFrom(layout, i + 1, end, view.left + (pixel + 1) / scale);
        const color = !hits ? colorOf(cell[i])
          : (hits[next] - hits[i]) * 2 >= next - i ? colors.hit : colors.faint;
        this.pixels[row + Math.min(pixel, this.width - 1)] = colors.pale[color];
        i = next;
        continue;
      }
      const from = Math.max(x, 0), to = Math.min(x + width, this.width);
      const hit = hits && hits[i + 1] > hits[i];
      const color = hit ? colors.hit : hits ? colors.faint : colorOf(cell[i]);
      this.rects[color].push(from, y, Math.max(to - from - (width > 3 ? 1 : 0.2), 0.5));
      if (to - from >= LABEL) this.labels.push(cell[i], from, y, to - from);
      i++;
    }
  }

  // Draws the pixels of all levels at once, as high as cells are, and clears the lines between.
  drawStrips(image, top) {
    const { context, strips } = this;
    strips.width = image.width;
    strips.height = image.height;
    strips.getContext("2d").putImageData(image, 0, 0);
    context.imageSmoothingEnabled = false;
    context.drawImage(strips, 0, top, image.width, image.height * ROW);
    for (let i = 1; i <= image.height; i++)
      context.fillRect(0, top + i * ROW - 1, this.width, 1);
  }

  fill(list, color) {
    if (!list.length) return;
    this.context.fillStyle = color;
    for (let i = 0; i < list.length; i += 3)
      this.context.fillRect(list[i], list[i + 1], list[i + 2], ROW - 1);
  }

  // Letters of a fixed font need not be measured one by one; other letters are cut by the cell.
  write({ nameOf }, ink) {
    const context = this.context;
    context.fillStyle = ink;
    context.font = "12px ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace";
    context.textBaseline = "middle";
    this.letter = this.letter || context.measureText("M").width || 7;
    for (let i = 0; i < this.labels.length; i += 4) {
      const [node, x, y, width] = this.labels.slice(i, i + 4);
      const room = Math.floor((width - 2 * PAD) / this.letter), name = nameOf(node, room);
      const shown = name.length > room ? name.slice(0, Math.max(room - 1, 1)) + "…" : name;
      const foreign = /[^ -~…+−]/.test(shown);
      if (foreign) {
        context.save();
        context.beginPath();
        context.rect(x, y, width - 2, ROW);
        context.clip();
      }
      context.fillText(shown, x + PAD, y + ROW / 2);
      if (foreign) context.restore();
    }
  }

  boxOf({ layout, view }, node) {
    const place = node >= 0 ? layout.where[node] : -1;
    if (place < 0) return null;
    const scale = this.width / (view.right - view.left);
    const x = (layout.left[place] - view.left) * scale;
    const from = Math.max(x, 0), to = Math.min(x + layout.size[node] * scale, this.width);
    const y = levelOf(layout, place) * ROW - view.top;
    return to < 0 || from > this.width ? null : { x: from, y, width: Math.max(to - from, 2) };
  }

  mark(scene, { ring }) {
    const context = this.context;
    for (const [node, line] of [[scene.hovered, 1], [scene.selected, 2]]) {
      const box = this.boxOf(scene, node);
      if (!box) continue;
      context.strokeStyle = ring;
      context.lineWidth = line;
      const half = line / 2;
      context.strokeRect(box.x + half, box.y + half, Math.max(box.width - 1 - line, 1),
        ROW - 1 - line);
    }
  }

  scrollBar(view, levels, color) {
    const whole = levels * ROW;
    if (whole <= this.height) return;
    const length = Math.max((this.height * this.height) / whole, 24);
    const at = (view.top / (whole - this.height)) * (this.height - length);
    this.context.fillStyle = color;
    this.context.fillRect(this.width - 5, at, 4, length);
  }

  // The cell at a point, or -1.
  hit({ layout, view }, x, y) {
    const level = Math.floor((y + view.top) / ROW);
    if (level < 0 || level >= layout.levels.length - 1 || x < 0 || x >= this.width) return -1;
    const at = view.left + (x / this.width) * (view.right - view.left);
    const place = placeAt(layout, level, at), node = layout.cell[place];
    return at >= layout.left[place] && at < layout.left[place] + layout.size[node] ? node : -1;
  }
}
