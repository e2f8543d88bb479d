// SPDX-License-Identifier: MIT
// The header of a request of HTTP, as our own checks take it: the first line, then fields, each
// with a line of its own.
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "serve/front/accept.h"
#include "serve/front/auth.h"
#include "serve/front/guard.h"
#include "serve/front/host.h"

static void require(bool good)
{
    if (!good)
        abort();
}

// What has passed means one path only, which stays below the root.
static void try_target(const char *uri)
{
    struct header_guard guard = {0};
    guard_target(&guard, uri);
    require(!guard.status == !guard.text);
    if (guard.status)
        return;
    AUTO_FREE char *path = xstrndup(uri, strcspn(uri, "?"));
    guard_decode(path);
    require(*path == '/' && strlen(path) <= GUARD_PATH_MOST);
    require(!strstr(path, "//") && !strstr(path, "/../") && !strchr(path, '\\'));
    for (const char *at = path; *at; at++)
        require((unsigned char)*at >= ' ' && *at != 0x7f);
}

static void try_host(const char *text)
{
    char name[HOST_MOST];
    (void)host_is_origin(text, text);
    if (!host_name(text, name))
        return;
    require(*name && strlen(name) < HOST_MOST && !strpbrk(name, "@/ []\"<>"));
    (void)host_is_ours(name, text);
    require(host_is_ours(name, "*"));
}

static void try_claim(const char *text)
{
    struct auth_claim claim;
    if (!auth_parse(text, &claim))
        return;
    require(strlen(claim.user) < sizeof claim.user);
    require(strlen(claim.secret) < sizeof claim.secret);
    require(!claim.is_bearer || (!*claim.user && *claim.secret));
}

static void try_field(struct header_guard *guard, const char *line, size_t length)
{
    const char *colon = memchr(line, ':', length);
    size_t name = colon ? (size_t)(colon - line) : length;
    size_t value = colon ? name + 1 + (name + 1 < length && line[name + 1] == ' ') : length;
    guard_field(guard, line, name, line + value, length - value);
    AUTO_FREE char *text = xstrndup(line + value, length - value);
    try_host(text);
    try_claim(text);
    require(accept_weight(text, "text/plain") <= 1000);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct header_guard guard = {0};
    const char *at = (const char *)bytes, *end = at + length;
    for (bool is_first = true; at < end; is_first = false) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t line = (size_t)((stop ? stop : end) - at);
        if (is_first) {
            AUTO_FREE char *uri = xstrndup(at, line);
            try_target(uri);
        } else
            try_field(&guard, at, line);
        at += line + 1;
    }
    require(!guard.status == !guard.text);
    return 0;
}

bool fuzz_seed(size_t number, struct buf *out)
{
    static const char *const seeds[] = {
        "/debug/pprof/profile?seconds=5&seconds=5\nHost: 127.0.0.1:6060\nAccept: text/plain;q=0.5",
        "/targets/a-b/api/v1/flame?from=1&q=%5Bfoo%5D\nHost: [::1]:6060\nOrigin: http://[::1]:6060",
        "/%61/b%2fc/...\nHost: Profiles.Example.\nAuthorization: Basic YWxpY2U6c2VjcmV0",
        "/debug/gc\nhost: localhost\nContent-Length: 12\nContent-Type: application/json",
        "/a//b/../c%00\nHost: a\nHost: b\nTransfer-Encoding: chunked\nContent-Length: 3",
        "/\nAuthorization: Bearer 0123456789abcdef\nX-A: b\tc",
    };
    if (number >= ARRAY_LENGTH(seeds))
        return false;
    buf_puts(out, seeds[number]);
    return true;
}
