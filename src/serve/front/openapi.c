// SPDX-License-Identifier: MIT
#include "serve/front/openapi.h"

#include "base/embed.h"

EMBED(openapi_json, "src/serve/page/openapi.json");
