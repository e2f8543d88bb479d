// SPDX-License-Identifier: MIT
// Colours are those of graph.css, in light and dark: --m0 .. of modules, --d0 .. of differences.
"use strict";

const HUES = 13, STEPS = 7, EQUAL_STEP = 3;
const STEP_NAMES = ["gone", "less than half", "10 to 50 % less", "about equal", "10 to 100 % more",
  "more than double", "new"];

function readColors() {
  const style = getComputedStyle(document.documentElement);
  const color = (name) => style.getPropertyValue(name).trim();
  const list = (letter, count) => Array.from({ length: count }, (_, i) => color(`--${letter}${i}`));
  const ground = color("--ground");
  const full = [...list("m", HUES), ...list("d", STEPS), color("--hit"), color("--faint")];
  return {
    cells: full, pale: Uint32Array.from(full, (one) => mixed(one, ground)),
    hit: HUES + STEPS, faint: HUES + STEPS + 1,
    ink: color("--cell-ink"), ring: color("--ring"), ground,
    bar: color("--line"),
  };
}

// Half of each of two colours "#rrggbb", as a pixel of ImageData: bytes from red to opaque.
function mixed(one, other) {
  const part = (color, at) => parseInt(color.slice(at, at + 2), 16);
  const bytes = [1, 3, 5].map((at) => (part(one, at) + part(other, at)) / 2);
  return new Uint32Array(Uint8ClampedArray.of(...bytes, 255).buffer)[0];
}

// As flame_step_of in flame_colors.c.
function stepOf(before, after) {
  if (before <= 0 || after <= 0) return before > 0 ? 0 : after > 0 ? 6 : EQUAL_STEP;
  if (after < before) return before > 2 * after ? 1 : before > 1.1 * after ? 2 : EQUAL_STEP;
  return after > 2 * before ? 5 : after > 1.1 * before ? 4 : EQUAL_STEP;
}

function changeText(before, after) {
  if (before <= 0) return after > 0 ? "new" : "equal";
  return after <= 0 ? "gone" : `${signed(100 * (after / before - 1), 0)} %`;
}
