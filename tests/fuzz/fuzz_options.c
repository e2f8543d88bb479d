// SPDX-License-Identifier: MIT
// The command line of attach: words between NUL bytes.
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/duration.h"
#include "base/figures.h"
#include "base/mem.h"
#include "commands/attach_options.h"

#define WORDS_MAX 64

static void require(bool good)
{
    if (!good)
        abort();
}

static void require_harmless(const struct err *err)
{
    require(strlen(err->text) < sizeof err->text);
    for (const char *at = err->text; *at; at++)
        require(((unsigned char)*at >= ' ' && *at != 0x7f) || *at == '\n');
}

static void try_duration(const char *text)
{
    char shown[FIGURES_MOST];
    struct err err = {0};
    int64_t ns = -1, again;
    if (duration_parse(text, &ns, &err) != RC_OK) {
        require(ns == -1 && err.text[0]);
        require_harmless(&err);
        return;
    }
    require(ns > 0 && ns <= 367ll * 24 * 3600 * NS_PER_S);
    require(strlen(figures_duration(ns, shown)) < FIGURES_MOST);
    if (ns >= NS_PER_US) // what we write we read again, but for the rounding
        require(duration_parse(shown, &again, &err) == RC_OK && llabs(again - ns) <= ns / 10);
}

static void try_line(char **words, size_t count)
{
    struct attach_options options = attach_defaults;
    struct parsed parsed;
    struct err err = {0};
    if (option_parse(attach_options, &options, words, &parsed, &err) != RC_OK) {
        require(err.text[0]);
        require_harmless(&err);
        return;
    }
    require(parsed.count <= count && !parsed.operands[parsed.count]);
    require(options.session.rate >= 0.1 && options.session.rate <= 10000);
    require(options.duration >= 0 && options.session.max_depth >= 1);
    require(options.session.max_depth <= 65536);
    require(!options.output || *options.output);
    if (attach_options_check(&options, &err) != RC_OK)
        require_harmless(&err);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    AUTO_FREE char *text = xmalloc(length + 1);
    char *words[WORDS_MAX + 1];
    size_t count = 0;
    if (length)
        memcpy(text, bytes, length);
    text[length] = '\0';
    for (char *at = text; at < text + length && count < WORDS_MAX; at += strlen(at) + 1) {
        words[count++] = at;
        try_duration(at);
    }
    words[count] = NULL;
    try_line(words, count);
    return 0;
}

bool fuzz_seed(size_t number, struct buf *out)
{
#define SEED(text) {sizeof(text), text}
    static const struct {
        size_t length;
        const char *text;
    } seeds[] = {
        SEED("4242\0-d\0" "1h30m\0--rate=49.5\0-oa.pb.gz\0-f\0json"),
        SEED("-qvvd5\0--color=always\0--max-depth\0" "100\0--\0-x"),
        SEED("--threads\0^worker\0--children\0--max-stop=0.5\0--min-quality\0" "99.5\0-h"),
        SEED("1.5s\0" "500ms\0" "250us\0" "1h2m3s4ms5us\0" "0.000001s\0" "8784h"),
        SEED("--unwinder=live\0--summary=json\0--quiet\0--force\0-r5000\0--durtion=3"),
    };
    if (number >= ARRAY_LENGTH(seeds))
        return false;
    buf_append(out, seeds[number].text, seeds[number].length);
    return true;
}
