// SPDX-License-Identifier: MIT
// The page as it is written by hand in output/flame, and as the build puts it into the program.
#pragma once

extern const char flame_files_html[];   // with places for the rest: {{title}}
extern const char flame_files_style[];  // CSS
extern const char flame_files_script[]; // JavaScript

// What a Content-Security-Policy says of the two: 'sha256-...', without the quotes.
extern const char flame_files_style_hash[], flame_files_script_hash[];
