// SPDX-License-Identifier: MIT
// The Makefile makes these files of those in output/flame, and this file anew when they change.
#include "output/flame_files.h"

#include "base/embed.h"

EMBED(flame_files_html, "flame.html");
EMBED(flame_files_style, "flame.css");
EMBED(flame_files_script, "flame.js");
EMBED(flame_files_style_hash, "flame.css.hash");
EMBED(flame_files_script_hash, "flame.js.hash");
