// SPDX-License-Identifier: MIT
#include "serve/front/admission.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/mem.h"
#include "serve/front/connections.h"
#include "serve/front/guard.h"
#include "serve/front/host.h"
#include "serve/front/login.h"
#include "serve/front/reply.h"
#include "serve/front/route.h"
#include "serve/front/waiting.h"
#include "serve/settings.h"

#define LATER_TOLD (60ll * NS_PER_S) // how often the log says that nobody's passwords are tried

static const char *field(const struct exchange *exchange, const char *name)
{
    return MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND, name);
}

bool admission_of_body(const struct exchange *exchange)
{
    return field(exchange, "Content-Length") || field(exchange, "Transfer-Encoding");
}

static enum MHD_Result take_field(void *guard, enum MHD_ValueKind kind, const char *name,
                                  size_t name_length, const char *value, size_t value_length)
{
    (void)kind;
    guard_field(guard, name, name_length, value ? value : "", value ? value_length : 0);
    return MHD_YES;
}

// --- checks: each answers what it refuses ---

static bool refuse(struct exchange *exchange, enum MHD_Result *result, unsigned status,
                   const char *text)
{
    *result = reply_error(exchange, status, text);
    return false;
}

static bool is_well_formed(struct exchange *exchange, enum MHD_Result *result)
{
    struct header_guard guard = {0};
    guard_target(&guard, exchange->uri);
    MHD_get_connection_values_n(exchange->connection, MHD_HEADER_KIND, take_field, &guard);
    if (guard.status)
        return refuse(exchange, result, guard.status, guard.text);
    guard_decode(exchange->path);
    return true;
}

static bool is_for_us(struct exchange *exchange, enum MHD_Result *result)
{
    const char *host = field(exchange, "Host"), *allowed = exchange->settings->http.allowed_hosts;
    char name[HOST_MOST];
    if (!host) // HTTP/1.0: no browser speaks that
        return true;
    if (!host_name(host, name))
        return refuse(exchange, result, 400, "Host is no name or address");
    if (host_is_ours(name, allowed))
        return true;
    AUTO_FREE char *text = xasprintf("this server is not known as %s: start it with "
                                     "--allowed-hosts %s if it is to be",
                                     name, name);
    return refuse(exchange, result, 421, text);
}

static bool is_of_our_page(struct exchange *exchange, enum MHD_Result *result)
{
    const char *host = field(exchange, "Host"), *origin = field(exchange, "Origin");
    if (origin && !(host && host_is_origin(host, origin)))
        return refuse(exchange, result, 403, "a page of another site asks (Origin is not Host): "
                                             "only pages of this server may");
    if (host_is_foreign(field(exchange, "Sec-Fetch-Site"), field(exchange, "Sec-Fetch-Dest")))
        return refuse(exchange, result, 403, "a page of another site has this in it: open it by "
                                             "itself");
    return true;
}

static bool may_connect(struct exchange *exchange, enum MHD_Result *result)
{
    const char *refused = connection_refused(exchange->client);
    return !refused || refuse(exchange, result, 403, refused);
}

static void log_refusal(const struct exchange *exchange)
{
    AUTO_FREE char *line = xasprintf("wrong password or token from %s, for %s",
                                     connection_name(exchange->client), exchange->path);
    waiting_log(line);
}

static void log_later(const struct exchange *exchange, int64_t now)
{
    static int64_t told;
    if (told && now - told < LATER_TOLD)
        return;
    told = now;
    AUTO_FREE char *line = xasprintf("too many tries: passwords and tokens from %s, and perhaps "
                                     "from elsewhere, are refused without being tried",
                                     connection_name(exchange->client));
    waiting_log(line);
}

// Nobody is told whether it was the user that is not known or the password that was wrong.
static bool is_known(struct exchange *exchange, enum MHD_Result *result)
{
    static const struct reply later = {.status = 429, .headers = {{"Retry-After", "60"}}};
    const char *challenge = login_has_passwords() ? "Basic realm=\"ptprof\", charset=\"UTF-8\""
                                                  : "Bearer realm=\"ptprof\"";
    const struct reply unknown = {.status = 401, .headers = {{"WWW-Authenticate", challenge}}};
    if (connection_is_trusted(exchange->client) || !login_is_needed())
        return true;
    int64_t now = clock_now();
    switch (login_check(field(exchange, "Authorization"), connection_origin(exchange->client),
                        now)) {
    case LOGIN_GOOD: return true;
    case LOGIN_LATER:
        log_later(exchange, now);
        *result = reply_refusal(exchange, &later, "too many wrong passwords or tokens came: try "
                                                  "again in a minute");
        return false;
    case LOGIN_WRONG: log_refusal(exchange); break;
    case LOGIN_NONE: break;
    }
    *result = reply_refusal(exchange, &unknown, "a user and password or a bearer token is needed");
    return false;
}

// --- routes ---

static unsigned method_of(const char *name)
{
    static const struct {
        const char *name;
        unsigned method;
    } methods[] = {{"GET", METHOD_GET}, {"HEAD", METHOD_GET}, {"POST", METHOD_POST | METHOD_ACT}};
    for (size_t i = 0; i < ARRAY_LENGTH(methods); i++)
        if (strcmp(methods[i].name, name) == 0)
            return methods[i].method;
    return 0;
}

static bool refuse_method(struct exchange *exchange, enum MHD_Result *result, unsigned methods)
{
    bool can_get = methods & METHOD_GET, can_post = methods & (METHOD_POST | METHOD_ACT);
    const char *allowed = !can_post ? "GET, HEAD" : can_get ? "GET, HEAD, POST" : "POST";
    AUTO_FREE char *text = xasprintf("this is asked for by %s", allowed);
    const struct reply reply = {.status = 405, .headers = {{"Allow", allowed}}};
    *result = reply_refusal(exchange, &reply, text);
    return false;
}

static bool has_route(struct exchange *exchange, enum MHD_Result *result)
{
    unsigned method = method_of(exchange->method), methods;
    exchange->route = route_find(exchange, exchange->settings->http.prefix, method, &methods);
    if (exchange->route)
        return true;
    if (!methods && method)
        return refuse(exchange, result, 404, "404 page not found");
    return refuse_method(exchange, result, methods ? methods : METHOD_GET | METHOD_POST);
}

static bool is_json(const char *type)
{
    return type && strncasecmp(type, "application/json", 16) == 0 &&
           (!type[16] || type[16] == ';' || type[16] == ' ');
}

static bool has_right_body(struct exchange *exchange, enum MHD_Result *result)
{
    const struct route *route = exchange->route;
    const char *length = field(exchange, "Content-Length");
    bool has_body = field(exchange, "Transfer-Encoding") || (length && atoll(length));
    if (has_body && method_of(exchange->method) == METHOD_GET)
        return refuse(exchange, result, 400, "a GET has no body here");
    if (length && atoll(length) > (long long)route_body_most(route))
        return refuse(exchange, result, 413, "the body is too long");
    if (route->methods & METHOD_ACT && method_of(exchange->method) & METHOD_ACT &&
        !is_json(field(exchange, "Content-Type")))
        return refuse(exchange, result, 415, "this takes Content-Type: application/json, so that "
                                             "no form of a page of others can send it");
    return true;
}

bool admission_check(struct exchange *exchange, enum MHD_Result *result)
{
    static bool (*const checks[])(struct exchange *, enum MHD_Result *) = {
        is_well_formed, is_for_us, is_of_our_page, may_connect,
        is_known,       has_route, has_right_body,
    };
    for (size_t i = 0; i < ARRAY_LENGTH(checks); i++)
        if (!checks[i](exchange, result))
            return false;
    return true;
}
