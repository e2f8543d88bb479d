// SPDX-License-Identifier: MIT
// The description of all paths that answer JSON, src/serve/page/openapi.json, as it is in the
// program.
#pragma once

extern const char openapi_json[], openapi_json_end[];
