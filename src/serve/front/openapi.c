// SPDX-License-Identifier: MIT
#include "serve/front/openapi.h"

__asm__(".pushsection .rodata\n.globl openapi_json, openapi_json_end\n"
        ".hidden openapi_json, openapi_json_end\nopenapi_json:\n"
        ".incbin \"src/serve/page/openapi.json\"\nopenapi_json_end:\n.byte 0\n.popsection");
