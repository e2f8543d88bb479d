// SPDX-License-Identifier: MIT
#include "wait/timeout.h"

#include <time.h>

#include "base/clock.h"
#include "base/duration.h"

#define YEARS_SHOWN_S (100ll * 365 * 86400) // a longer timeout is shown as none

enum amount { AMOUNT_NONE, AMOUNT_FOREVER, AMOUNT_KNOWN };

static enum amount read_time(const struct finder *finder, uint64_t address, int64_t unit_ns,
                             int64_t *ns)
{
    int64_t words[2]; // seconds and fraction
    if (!finder_read_given(finder, address, words, sizeof words) || words[0] < 0 || words[1] < 0 ||
        words[1] >= NS_PER_S / unit_ns)
        return AMOUNT_NONE;
    if (words[0] > YEARS_SHOWN_S)
        return AMOUNT_FOREVER;
    *ns = words[0] * NS_PER_S + words[1] * unit_ns;
    return AMOUNT_KNOWN;
}

static bool put(int64_t ns, const char *before, struct buf *out)
{
    char text[DURATION_TEXT];
    buf_printf(out, "%s%s", before, duration_format(ns, text));
    return true;
}

static bool put_none(struct buf *out)
{
    buf_puts(out, ", no timeout");
    return false;
}

bool timeout_put_ms(int ms, struct buf *out)
{
    return ms < 0 ? put_none(out) : put((int64_t)ms * NS_PER_MS, ", timeout ", out);
}

bool timeout_put_relative(const struct finder *finder, uint64_t address, int64_t unit_ns,
                          struct buf *out)
{
    int64_t ns;
    enum amount amount = address ? read_time(finder, address, unit_ns, &ns) : AMOUNT_FOREVER;
    if (amount == AMOUNT_FOREVER)
        return put_none(out);
    return amount == AMOUNT_KNOWN && put(ns, ", timeout ", out);
}

// Replaces an absolute time of that clock by the time that is left; 0 when it has passed.
static bool time_left(int clock, int64_t *ns)
{
    struct timespec now;
    if (clock_gettime(clock, &now) != 0)
        return false;
    *ns -= now.tv_sec * (int64_t)NS_PER_S + now.tv_nsec;
    if (*ns < 0)
        *ns = 0;
    return true;
}

bool timeout_put_absolute(const struct finder *finder, uint64_t address, int clock,
                          struct buf *out)
{
    int64_t ns;
    enum amount amount = address ? read_time(finder, address, 1, &ns) : AMOUNT_FOREVER;
    if (amount == AMOUNT_FOREVER)
        return put_none(out);
    return amount == AMOUNT_KNOWN && time_left(clock, &ns) && put(ns, ", timeout in ", out);
}

bool timeout_put_sleep(const struct finder *finder, uint64_t address, int clock, bool absolute,
                       struct buf *out)
{
    int64_t ns;
    switch (read_time(finder, address, 1, &ns)) {
    case AMOUNT_FOREVER:
        buf_puts(out, " for ever");
        return false;
    case AMOUNT_KNOWN:
        // A negative clock is a process's CPU clock, which we would read of ourselves.
        if (absolute && clock >= 0 && time_left(clock, &ns))
            return put(ns, ", to end in ", out);
        return !absolute && put(ns, " for ", out);
    case AMOUNT_NONE:
        break;
    }
    return false;
}
