// SPDX-License-Identifier: MIT
"use strict";

const page = new Dashboard();
