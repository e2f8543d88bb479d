// SPDX-License-Identifier: MIT
// speedscope's JSON.
#include "fuzz.h"
#include "parsed.h"

#define FRAMES                                                                                     \
    "\"shared\":{\"frames\":[{\"name\":\"a\",\"file\":\"b\",\"line\":3},{\"name\":\"c\"}]}"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    return fuzz_parse(bytes, length);
}

bool fuzz_seed(size_t number, struct buf *out)
{
    static const char *const seeds[] = {
        "{" FRAMES ",\"profiles\":[{\"type\":\"sampled\",\"name\":\"t\",\"unit\":\"seconds\","
        "\"samples\":[[0,1],[],[1]],\"weights\":[1,2.5,1e9]},{\"type\":\"sampled\","
        "\"unit\":\"bytes\",\"samples\":[[1]],\"weights\":[7]}]}",
        "{\"profiles\":[{\"type\":\"evented\",\"unit\":\"none\",\"startValue\":0,\"endValue\":9,"
        "\"events\":[{\"type\":\"O\",\"frame\":0,\"at\":0},{\"type\":\"O\",\"frame\":1,\"at\":3},"
        "{\"type\":\"C\",\"frame\":1,\"at\":4}]}]," FRAMES "}",
    };
    if (number >= ARRAY_LENGTH(seeds))
        return false;
    buf_puts(out, seeds[number]);
    return true;
}
