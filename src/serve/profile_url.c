// SPDX-License-Identifier: MIT
#include "serve/profile_url.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/escape.h"
#include "base/mem.h"
#include "serve/curl_library.h"

#define BASE "/debug/pprof/"
#define MARGIN_LESS_SLASH (sizeof BASE - 2)
#define LONGEST 86400.0 // s

// What an endpoint takes of time when nothing is said: Go's, and wall of ours.
static const struct {
    const char *type;
    double seconds;
} timed[] = {{"profile", 30}, {"wall", 30}, {"trace", 1}};

struct making {
    const struct curl_library *curl;
    CURLU *parsed;
    struct profile_wish wish;
    struct profile_url *url;
    struct err *err;
};

bool profile_url_is(const char *source)
{
    return strncasecmp(source, "http://", 7) == 0 || strncasecmp(source, "https://", 8) == 0;
}

// Returns a part of the URL, or NULL; the caller frees it.
static char *part(const struct making *making, CURLUPart which, unsigned flags)
{
    char *text = NULL;
    if (making->curl->url_get(making->parsed, which, &text, flags) != CURLUE_OK)
        return NULL;
    char *copy = xstrdup(text);
    making->curl->free(text);
    return copy;
}

static enum rc set_part(const struct making *making, CURLUPart which, const char *text)
{
    CURLUcode failed = making->curl->url_set(making->parsed, which, text, CURLU_GUESS_SCHEME);
    return failed ? err_set(making->err, RC_USAGE, "the URL cannot be understood: %s",
                            making->curl->url_strerror(failed))
                  : RC_OK;
}

// A guess of curl's makes "ftp.host" ftp: without a scheme it is http here.
static enum rc parse(const struct making *making, const char *text)
{
    AUTO_FREE char *whole = strstr(text, "://") ? xstrdup(text) : xasprintf("http://%s", text);
    enum rc rc = set_part(making, CURLUPART_URL, whole);
    if (rc != RC_OK)
        return rc;
    AUTO_FREE char *scheme = part(making, CURLUPART_SCHEME, 0);
    AUTO_FREE char *user = part(making, CURLUPART_USER, 0);
    AUTO_FREE char *password = part(making, CURLUPART_PASSWORD, 0);
    if (!scheme || (strcmp(scheme, "http") && strcmp(scheme, "https")))
        return err_set(making->err, RC_USAGE, "a URL of http or https is needed");
    if (user || password)
        return err_set(making->err, RC_USAGE,
                       "all users of this machine can read the credentials in a URL; set "
                       "PTPROF_USER and PTPROF_PASSWORD, or use a netrc file");
    return set_part(making, CURLUPART_FRAGMENT, NULL);
}

static void take_host(const struct making *making)
{
    AUTO_FREE char *host = part(making, CURLUPART_HOST, 0);
    AUTO_FREE char *port = part(making, CURLUPART_PORT, 0);
    AUTO_FREE char *whole = port ? xasprintf("%s:%s", host, port) : xstrdup(host ? host : "");
    making->url->host = escape_text_dup(whole);
}

// --- the path ---

static const char *known_type(const char *name)
{
    static const char *const types[] = {"profile", "heap", "allocs", "block", "mutex",
                                        "goroutine", "threadcreate", "trace", "wall"};
    for (size_t i = 0; i < ARRAY_LENGTH(types); i++)
        if (strcmp(name, types[i]) == 0)
            return types[i];
    return NULL;
}

static enum rc wrong_type(const struct making *making, const char *said)
{
    AUTO_FREE char *shown = escape_text_dup(said);
    return err_set(making->err, RC_USAGE, "the URL asks for %s, and --type for %s: leave one out",
                   shown, making->wish.type);
}

// A path that ends where Go has its index gets the type; any other is complete.
static enum rc take_path(const struct making *making)
{
    AUTO_FREE char *path = part(making, CURLUPART_PATH, 0);
    struct profile_url *url = making->url;
    const char *wished = making->wish.type ? making->wish.type : "profile";
    bool bare = !path || strcmp(path, "/") == 0;
    size_t length = bare ? 0 : strlen(path);
    bool index = length >= MARGIN_LESS_SLASH &&
                 strncmp(path + length - MARGIN_LESS_SLASH, BASE, MARGIN_LESS_SLASH) == 0;
    if (index)
        path[length - MARGIN_LESS_SLASH] = '\0';
    const char *base = bare || index ? NULL : strstr(path, BASE);
    const char *said = base ? base + strlen(BASE) : "";
    url->type = *said ? known_type(said) : wished;
    if (making->wish.type && *said && (!url->type || strcmp(url->type, making->wish.type) != 0))
        return wrong_type(making, said);
    if (!bare && !index && !base) {
        url->type = NULL;
        return making->wish.type ? wrong_type(making, "another path") : RC_OK;
    }
    size_t front = base ? (size_t)(base - path) : index ? strlen(path) : 0;
    AUTO_FREE char *whole = xasprintf("%.*s%s%s", (int)front, front ? path : "", BASE,
                                      *said ? said : wished);
    AUTO_FREE char *symbols = xasprintf("%.*s%ssymbol", (int)front, front ? path : "", BASE);
    enum rc rc = set_part(making, CURLUPART_PATH, symbols);
    AUTO_FREE char *query = part(making, CURLUPART_QUERY, 0);
    if (rc == RC_OK)
        rc = set_part(making, CURLUPART_QUERY, NULL);
    if (rc == RC_OK)
        url->symbols = part(making, CURLUPART_URL, 0);
    if (rc == RC_OK)
        rc = set_part(making, CURLUPART_QUERY, query);
    return rc == RC_OK ? set_part(making, CURLUPART_PATH, whole) : rc;
}

// --- the query ---

static double seconds_said(const char *query)
{
    for (const char *at = query; at && *at; at = strchr(at, '&'), at += at != NULL)
        if (strncmp(at, "seconds=", 8) == 0) {
            double seconds = strtod(at + 8, NULL);
            return seconds > 0 && seconds <= LONGEST ? seconds : 0;
        }
    return 0;
}

// Leaves out "seconds", which is said anew.
static char *without_seconds(const char *query)
{
    AUTO_BUF struct buf kept = {0};
    for (const char *at = query ? query : ""; *at;) {
        size_t length = strcspn(at, "&");
        if (strncmp(at, "seconds=", 8) != 0) {
            buf_puts(&kept, kept.length ? "&" : "");
            buf_append(&kept, at, length);
        }
        at += length + (at[length] == '&');
    }
    return xstrdup(kept.data ? kept.data : "");
}

double profile_url_usual(const char *type)
{
    for (size_t i = 0; type && i < ARRAY_LENGTH(timed); i++)
        if (strcmp(type, timed[i].type) == 0)
            return timed[i].seconds;
    return 0;
}

// Go takes whole seconds, but for a trace.
static enum rc take_query(const struct making *making)
{
    AUTO_FREE char *query = part(making, CURLUPART_QUERY, 0);
    struct profile_url *url = making->url;
    double said = seconds_said(query), usual = profile_url_usual(url->type);
    url->is_trace = url->type && strcmp(url->type, "trace") == 0;
    url->seconds = making->wish.seconds > 0 ? making->wish.seconds : said > 0 ? said : usual;
    if (!url->is_trace)
        url->seconds = ceil(url->seconds);
    if (making->wish.seconds <= 0 && (said > 0 || usual <= 0))
        return RC_OK; // as it is
    AUTO_FREE char *rest = without_seconds(query);
    AUTO_FREE char *whole = xasprintf("%s%sseconds=%g", rest, *rest ? "&" : "", url->seconds);
    return set_part(making, CURLUPART_QUERY, whole);
}

enum rc profile_url_make(const char *text, struct profile_wish wish, struct profile_url *url,
                         struct err *err)
{
    struct making making = {.wish = wish, .url = url, .err = err};
    *url = (struct profile_url){0};
    enum rc rc = curl_library_get(&making.curl, err);
    if (rc != RC_OK)
        return rc;
    making.parsed = making.curl->url();
    rc = parse(&making, text);
    if (rc == RC_OK) {
        take_host(&making);
        rc = take_path(&making);
    }
    if (rc == RC_OK)
        rc = take_query(&making);
    if (rc == RC_OK)
        url->text = part(&making, CURLUPART_URL, 0);
    making.curl->url_cleanup(making.parsed);
    if (rc != RC_OK)
        profile_url_fini(url);
    return rc;
}

void profile_url_fini(struct profile_url *url)
{
    free(url->text);
    free(url->host);
    free(url->symbols);
    *url = (struct profile_url){0};
}
