// SPDX-License-Identifier: MIT
// Trees of cells, what their cells have, and where these lie. Nothing here calls itself: stacks
// can be deeper than a browser's.
"use strict";

const INVERTED_MOST = 4000000; // cells; what lies deeper then counts for the last one that is there

// The children of cell n are first[n] .. first[n + 1] - 1: cells are numbered level by level.
// at[side][sample]: its cell.
function makeTree(kids, frame, place, at) {
  const count = kids.length;
  const first = new Int32Array(count + 1), parent = new Int32Array(count);
  for (let i = 0, at = 1; i < count; i++) {
    first[i] = at;
    for (const end = at + kids[i]; at < end; at++) parent[at] = i;
    first[i + 1] = at;
  }
  return { count, parent, frame, place, at, first };
}

function callTree(data) {
  const { kids, frame, place } = data.cells;
  return makeTree(kids, frame, place, data.sides.map((side) => side.cell));
}

// The same samples from the leaf up: below a function are its callers. Each cell has a part of the
// leaves, those whose stacks come by, and shares it out among its children.
function invertedTree(data, calls) {
  const { parent, frame, place } = calls;
  const { leaf, at, most } = leavesOf(data, calls);
  const column = (size) => new Int32Array(size);
  const kids = column(most), frames = column(most), places = column(most);
  const begin = column(most), length = column(most);
  const child = column(data.frames.name.length), whose = child.slice().fill(-1);
  const order = at.map((_, i) => i), ends = column(at.length), part = column(at.length);
  length[0] = at.length;
  let count = 1;
  for (let node = 0; node < count; node++) {
    const from = begin[node], size = length[node], first = count;
    for (let i = 0; i < size; i++) {
      const one = (part[i] = order[from + i]), cell = at[one], caller = frame[cell];
      if (cell > 0 && whose[caller] !== node && count < most) {
        whose[caller] = node;
        frames[count] = caller;
        places[count] = place[cell] & ~AGAIN;
        child[caller] = count++;
      }
      if (cell > 0 && whose[caller] === node) length[child[caller]]++;
      else ends[one] = node;
    }
    kids[node] = count - first;
    for (let k = first, next = from; k < count; next += length[k++]) begin[k] = next;
    for (let i = 0; i < size; i++) {
      const one = part[i], cell = at[one];
      if (cell === 0 || whose[frame[cell]] !== node) continue;
      order[begin[child[frame[cell]]]++] = one;
      at[one] = parent[cell];
    }
    for (let k = first; k < count; k++) begin[k] -= length[k];
  }
  const own = data.sides.map((side) => side.cell.map((cell) => ends[leaf[cell]]));
  return makeTree(kids.slice(0, count), frames.slice(0, count), places.slice(0, count), own);
}

// The cells in which stacks end. leaf[cell]: number among them; at[number]: the cell; most: how
// many cells the tree from there can have.
function leavesOf(data, { count, parent }) {
  const leaf = new Int32Array(count).fill(-1), depth = new Int32Array(count), list = [];
  for (let i = 1; i < count; i++) depth[i] = depth[parent[i]] + 1;
  let most = 1;
  for (const side of data.sides)
    for (const cell of side.cell)
      if (leaf[cell] < 0) {
        leaf[cell] = list.push(cell) - 1;
        most += depth[cell];
      }
  return { leaf, at: Int32Array.from(list), most: Math.min(most, INVERTED_MOST) };
}

// What each cell has itself, and with all below it.
function weigh(tree, data, side, type, passes) {
  const self = new Float64Array(tree.count);
  const at = tree.at[side], set = data.sides[side].set, values = data.sides[side].values[type];
  for (let i = 0; i < at.length; i++) if (passes[set[i]]) self[at[i]] += values[i];
  const total = self.slice();
  for (let i = tree.count - 1; i > 0; i--) total[tree.parent[i]] += total[i];
  return { self, total };
}

// A function counts where no caller is the same function, and once.
function byFunction(tree, frameCount, weights) {
  const self = new Float64Array(frameCount), total = new Float64Array(frameCount);
  for (let i = 1; i < tree.count; i++) {
    self[tree.frame[i]] += weights.self[i];
    if (!(tree.place[i] & AGAIN)) total[tree.frame[i]] += weights.total[i];
  }
  return { self, total };
}

// Places of cells that have any size, level by level, from left to right; the largest child comes
// first. cell[i] lies at left[i] and is size[cell[i]] wide; level l is levels[l] .. levels[l + 1].
function layOut(tree, size) {
  let live = 1;
  for (let i = 1; i < tree.count; i++) if (size[i] > 0) live++;
  const cell = new Int32Array(live), left = new Float64Array(live);
  const where = new Int32Array(tree.count).fill(-1);
  const levels = [0, 1];
  where[0] = 0;
  let end = 1;
  for (let i = 0; i < end; i++) {
    if (i === levels[levels.length - 1]) levels.push(end);
    const begin = end, node = cell[i];
    let sorted = true;
    for (let kid = tree.first[node], last = Infinity; kid < tree.first[node + 1]; kid++) {
      if (!(size[kid] > 0)) continue;
      sorted = sorted && size[kid] <= last;
      last = size[kid];
      cell[end++] = kid;
    }
    if (!sorted) sortBySize(cell, begin, end, size);
    let x = left[i];
    for (let k = begin; k < end; k++) {
      left[k] = x;
      where[cell[k]] = k;
      x += size[cell[k]];
    }
  }
  return { cell, left, where, levels: Int32Array.from(levels), size, whole: size[0] };
}

function sortBySize(cell, begin, end, size) {
  if (end - begin > 24) {
    cell.subarray(begin, end).sort((a, b) => size[b] - size[a] || a - b);
    return;
  }
  for (let i = begin + 1; i < end; i++) {
    const one = cell[i];
    let k = i;
    for (; k > begin && size[cell[k - 1]] < size[one]; k--) cell[k] = cell[k - 1];
    cell[k] = one;
  }
}

// The last place of a level that begins at x or before it.
function placeAt(layout, level, x) {
  let low = layout.levels[level], high = layout.levels[level + 1] - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (layout.left[middle] <= x) low = middle;
    else high = middle - 1;
  }
  return low;
}

// The first of the places low .. end that begins at x or behind it, or end. Usually it is near.
function placeFrom(layout, low, end, x) {
  let step = 1, high = low;
  while (high < end && layout.left[high] < x) {
    low = high + 1;
    high = Math.min(high + step, end);
    step *= 2;
  }
  while (low < high) {
    const middle = (low + high) >> 1;
    if (layout.left[middle] < x) low = middle + 1;
    else high = middle;
  }
  return low;
}

function levelOf(layout, place) {
  let low = 0, high = layout.levels.length - 2;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (layout.levels[middle] <= place) low = middle;
    else high = middle - 1;
  }
  return low;
}
