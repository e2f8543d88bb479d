// SPDX-License-Identifier: MIT
// A configuration file.
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "commands/yaml_file.h"

static void require(bool good)
{
    if (!good)
        abort();
}

static enum rc take(void *context, const struct yaml_entry *entry, struct err *err)
{
    size_t *count = context;
    require(*entry->key && !strchr(entry->key, '_') && entry->line > 0);
    for (size_t i = 0; i < entry->values->count; i++)
        require(entry->values->texts[i]);
    if (++*count > YAML_KEYS_MOST)
        abort();
    return strlen(entry->key) % 7 ? RC_OK : err_set(err, RC_USAGE, "not this one");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct err err = {0};
    size_t count = 0;
    enum rc rc = yaml_file_parse((const char *)bytes, length, "file", take, &count, &err);
    require(rc == RC_OK || (rc == RC_USAGE && *err.text));
    for (const char *at = err.text; *at; at++)
        require((unsigned char)*at >= ' ' && *at != 0x7f);
    return 0;
}

bool fuzz_seed(size_t number, struct buf *out)
{
    static const char *const seeds[] = {
        "listen: 127.0.0.1:6060 # here\nmetrics:\n  interval: 2s\n  history: \"10\"\n",
        "match:\n- comm=nginx\n- 'unit=b'\nauth: no\ndisable: [heap, trace]\n",
        "%YAML 1.1\n---\na: {b: {c: {d: x}}}\ne_f: |\n  two\n  lines\n...\n",
        "a: &x 1\nb: *x\nc: !!str 2\n<<: {d: 3}\n? [e]\n: f\n",
        "\xef\xbb\xbf" "a: \"\\u00e9\\n\"\nb: >-\n  folded\n  text\n",
    };
    if (number >= ARRAY_LENGTH(seeds))
        return false;
    buf_puts(out, seeds[number]);
    return true;
}
