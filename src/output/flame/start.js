// SPDX-License-Identifier: MIT
"use strict";

const began = performance.now();
const page = new Page(decode(byId("data").textContent));
performance.measure("ptprof-load", { start: began });
