// SPDX-License-Identifier: MIT
// A file for pprof (profile.proto, compressed by gzip or not) or of collapsed stacks becomes what
// cells.js makes cells of. It is read here, and sent nowhere.
"use strict";

const PROFILE_MOST = 2 ** 29; // bytes, unpacked

async function unpacked(file) {
  const start = new Uint8Array(await file.slice(0, 2).arrayBuffer());
  let stream = file.stream();
  if (start[0] === 0x1f && start[1] === 0x8b)
    stream = stream.pipeThrough(new DecompressionStream("gzip"));
  const parts = [], reader = stream.getReader();
  let size = 0;
  for (let part; !(part = await reader.read()).done; parts.push(part.value))
    if ((size += part.value.length) > PROFILE_MOST) throw new Error("it is too large");
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

// Fields of a message, one by one: act(number, value): a number, or bytes.
function readFields(bytes, act) {
  const wire = { bytes, at: 0 };
  while (wire.at < bytes.length) {
    const key = readNumber(wire), number = Math.floor(key / 8), kind = key % 8;
    if (kind === 0) act(number, readNumber(wire));
    else if (kind === 2) {
      const length = readNumber(wire), from = wire.at;
      wire.at += length;
      if (!(length >= 0) || wire.at > bytes.length) throw new Error("it is cut off");
      act(number, bytes.subarray(from, wire.at));
    } else if (kind === 1 || kind === 5) wire.at += kind === 1 ? 8 : 4;
    else throw new Error("it is no profile");
  }
}

// A varint, as a signed number of 64 bits: what is larger than 2^53 is rounded.
function readNumber(wire) {
  let low = 0, high = 0;
  for (let shift = 0; shift < 70; shift += 7) {
    if (wire.at >= wire.bytes.length) throw new Error("it is cut off");
    const byte = wire.bytes[wire.at++], part = byte & 127;
    if (shift < 28) low += part * 2 ** shift;
    else high += part * 2 ** (shift - 28);
    if (byte < 128) {
      const value = low + high * 2 ** 28;
      return value < 2 ** 53 ? value
        : Number(BigInt.asIntN(64, BigInt(low) + (BigInt(high) << 28n)));
    }
  }
  throw new Error("it is no profile");
}

// Repeated numbers come one by one or packed.
function takeNumbers(list, value) {
  if (typeof value === "number") {
    list.push(value);
    return;
  }
  const wire = { bytes: value, at: 0 };
  while (wire.at < value.length) list.push(readNumber(wire));
}

// names: number of a field -> what it is called; "lines[]" may come several times
function readMessage(bytes, names) {
  const message = {};
  for (const name of Object.values(names))
    if (name.endsWith("[]")) message[name.slice(0, -2)] = [];
    else message[name] = 0;
  readFields(bytes, (number, value) => {
    const name = names[number];
    if (!name) return;
    if (name.endsWith("[]")) message[name.slice(0, -2)].push(value);
    else message[name] = value;
  });
  return message;
}

function readProfile(bytes) {
  const texts = [], utf8 = new TextDecoder();
  const profile = { types: [], samples: [], mappings: new Map(), locations: new Map(),
    functions: new Map(), comments: [], time: 0, duration: 0, shown: 0, texts };
  const takers = {
    1: (value) => profile.types.push(readMessage(value, { 1: "type", 2: "unit" })),
    2: (value) => profile.samples.push(readSample(value)),
    3: (value) => keepById(profile.mappings, readMessage(value, { 1: "id", 5: "file" })),
    4: (value) => keepById(profile.locations,
      readMessage(value, { 1: "id", 2: "mapping", 3: "address", 4: "lines[]" })),
    5: (value) => keepById(profile.functions,
      readMessage(value, { 1: "id", 2: "name", 4: "file" })),
    6: (value) => texts.push(utf8.decode(value)),
    9: (value) => { profile.time = value; },
    10: (value) => { profile.duration = value; },
    13: (value) => takeNumbers(profile.comments, value),
    14: (value) => { profile.shown = value; },
  };
  readFields(bytes, (number, value) => takers[number] && takers[number](value));
  if (!profile.types.length || !profile.samples.length || texts[0] !== "")
    throw new Error("it is no profile for pprof");
  for (const location of profile.locations.values())
    location.lines = location.lines.map((line) => readMessage(line, { 1: "function", 2: "line" }));
  return profile;
}

function keepById(map, message) {
  map.set(message.id, message);
}

function readSample(bytes) {
  const sample = { stack: [], values: [], labels: [] };
  readFields(bytes, (number, value) => {
    if (number === 1) takeNumbers(sample.stack, value);
    if (number === 2) takeNumbers(sample.values, value);
    if (number === 3) sample.labels.push(readMessage(value, { 1: "key", 2: "text", 3: "number" }));
  });
  return sample;
}

// --- collapsed stacks, "root;...;leaf COUNT", as collapsed_parse.c reads them

const MODULES = { k: "[kernel.kallsyms]", j: "[jit]" }; // what a name ends in: "_[k]"

function readFile(bytes) {
  const isText = bytes.length > 0 && !bytes.subarray(0, 4096).some((byte) =>
    byte < 32 && ![9, 10, 13].includes(byte));
  return isText ? readCollapsed(new TextDecoder().decode(bytes)) : readProfile(bytes);
}

class CollapsedReader {
  constructor() {
    this.numbers = new Map([["", 0]]);
    this.profile = { types: [{ type: this.text("samples"), unit: this.text("count") }],
      samples: [], mappings: new Map(), locations: new Map(), functions: new Map(),
      comments: [], time: 0, duration: 0, shown: 0 };
    this.known = new Map(); // frame with what was inlined into it -> number of its location
  }

  text(words) {
    if (!this.numbers.has(words)) this.numbers.set(words, this.numbers.size);
    return this.numbers.get(words);
  }

  // chain: a frame, and behind it what was inlined into it
  location(chain) {
    const key = chain.join("\0"), { profile } = this;
    if (!this.known.has(key)) {
      const id = this.known.size + 1, module = MODULES[/_\[([kj])\]$/.exec(chain[0])?.[1]] || "";
      this.known.set(key, id);
      keepById(profile.mappings, { id: this.text(module), file: this.text(module) });
      keepById(profile.locations, { id, mapping: this.text(module), address: 0,
        lines: chain.map((frame) => ({ function: this.function(frame), line: 0 })).reverse() });
    }
    return this.known.get(key);
  }

  function(frame) {
    const name = this.text(frame.replace(/_\[[kji]\]$/, ""));
    keepById(this.profile.functions, { id: name, name, file: 0 });
    return name;
  }

  add(stack, count) {
    const chains = [];
    for (const frame of stack.split(";"))
      if (frame.endsWith("_[i]") && chains.length) chains[chains.length - 1].push(frame);
      else chains.push([frame]);
    this.profile.samples.push({ stack: chains.map((chain) => this.location(chain)).reverse(),
      values: [count], labels: [] });
  }
}

function readCollapsed(text) {
  const reader = new CollapsedReader(), lines = text.split("\n").map((line) => line.trim());
  const number = "\\d+(?:\\.\\d*)?", one = RegExp(`^(.*\\S)\\s+(${number})$`);
  const stacks = lines.filter((line) => line && !line.startsWith("#"));
  if (stacks.length && stacks.every((line) => RegExp(`\\S\\s+${number}\\s+${number}$`).test(line)))
    throw new Error("it is a difference of two files, which say more by themselves");
  lines.forEach((line, i) => {
    if (!line || line.startsWith("#")) return;
    const parts = one.exec(line);
    if (!parts) throw new Error(`line ${i + 1} has no count`);
    reader.add(parts[1], Number(parts[2]));
  });
  if (!reader.profile.samples.length) throw new Error("there is no stack in it");
  return { ...reader.profile, texts: [...reader.numbers.keys()] };
}
