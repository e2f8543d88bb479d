// SPDX-License-Identifier: MIT
#include "serve/http_client.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/escape.h"
#include "base/mem.h"
#include "output/parser.h"
#include "serve/curl_library.h"

#define REDIRECTS_MAX 5
#define CONNECT_MS 10000L
#define WAIT_MS 250
#define ERROR_SHOWN 300 // bytes of what a server says is wrong

struct transfer {
    struct http_request *request;
    CURL *handle;
    char *url;         // that is asked now
    unsigned redirects;
    bool trusted;      // it is the origin that the user named: credentials may go there
    bool too_long, is_over;
    int64_t deadline;  // of the monotonic clock
    struct curl_slist *headers;
    char error[CURL_ERROR_SIZE];
};

struct client {
    const struct curl_library *curl;
    const struct http_options *options;
    CURLM *multi;
    struct transfer *transfers;
    size_t count;
};

static size_t take_body(char *bytes, size_t size, size_t count, void *context)
{
    struct transfer *transfer = context;
    struct buf *body = &transfer->request->body;
    transfer->too_long |= body->length + size * count > PROFILE_UNPACKED_MAX;
    if (transfer->too_long)
        return 0; // curl ends the transfer
    buf_append(body, bytes, size * count);
    return size * count;
}

static void fail(struct transfer *transfer, enum rc rc, const char *reason)
{
    transfer->request->rc = err_set(&transfer->request->err, rc, "%s: %s", transfer->request->host,
                                    reason);
    transfer->is_over = true;
}

// --- beginning ---

static const char *given(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

static void set_credentials(const struct client *client, struct transfer *transfer)
{
    const struct curl_library *curl = client->curl;
    CURL *handle = transfer->handle;
    const char *user = given("PTPROF_USER"), *password = given("PTPROF_PASSWORD");
    const char *token = given("PTPROF_BEARER_TOKEN");
    if (token) {
        curl->easy_setopt(handle, CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
        curl->easy_setopt(handle, CURLOPT_XOAUTH2_BEARER, token);
    } else if (user || password) {
        curl->easy_setopt(handle, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
        curl->easy_setopt(handle, CURLOPT_USERNAME, user ? user : "");
        curl->easy_setopt(handle, CURLOPT_PASSWORD, password ? password : "");
    } else {
        curl->easy_setopt(handle, CURLOPT_NETRC, CURL_NETRC_OPTIONAL);
        if (client->options->netrc_file)
            curl->easy_setopt(handle, CURLOPT_NETRC_FILE, client->options->netrc_file);
    }
}

static void set_security(const struct client *client, CURL *handle)
{
    const struct http_options *options = client->options;
    if (options->ca_file)
        client->curl->easy_setopt(handle, CURLOPT_CAINFO, options->ca_file);
    if (options->unix_socket)
        client->curl->easy_setopt(handle, CURLOPT_UNIX_SOCKET_PATH, options->unix_socket);
    client->curl->easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, options->insecure ? 0L : 1L);
    client->curl->easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, options->insecure ? 0L : 2L);
}

static void set_post(const struct client *client, struct transfer *transfer)
{
    if (!transfer->request->post)
        return;
    client->curl->easy_setopt(transfer->handle, CURLOPT_POSTFIELDS, transfer->request->post);
    transfer->headers = client->curl->slist_append(
        transfer->headers, "Content-Type: application/octet-stream");
    client->curl->easy_setopt(transfer->handle, CURLOPT_HTTPHEADER, transfer->headers);
}

// We follow redirects ourselves, each with a handle of its own, because only we know what may be
// sent along.
static void begin(const struct client *client, struct transfer *transfer)
{
    const struct curl_library *curl = client->curl;
    int64_t left = transfer->deadline - clock_now();
    CURL *handle = transfer->handle = curl->easy_init();
    if (!handle) {
        fail(transfer, RC_LIMIT, "there is no memory for a connection");
        return;
    }
    buf_clear(&transfer->request->body);
    curl->easy_setopt(handle, CURLOPT_URL, transfer->url);
    curl->easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
    curl->easy_setopt(handle, CURLOPT_PRIVATE, transfer);
    curl->easy_setopt(handle, CURLOPT_ERRORBUFFER, transfer->error);
    curl->easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    curl->easy_setopt(handle, CURLOPT_USERAGENT, "ptprof/" PTPROF_VERSION);
    curl->easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
    curl->easy_setopt(handle, CURLOPT_TIMEOUT_MS, left > NS_PER_MS ? left / NS_PER_MS : 1L);
    curl->easy_setopt(handle, CURLOPT_WRITEFUNCTION, take_body);
    curl->easy_setopt(handle, CURLOPT_WRITEDATA, transfer);
    set_security(client, handle);
    set_post(client, transfer);
    if (transfer->trusted)
        set_credentials(client, transfer);
    curl->multi_add_handle(client->multi, handle);
}

static void end(const struct client *client, struct transfer *transfer)
{
    if (!transfer->handle)
        return;
    client->curl->multi_remove_handle(client->multi, transfer->handle);
    client->curl->easy_cleanup(transfer->handle);
    client->curl->slist_free_all(transfer->headers);
    transfer->handle = NULL;
    transfer->headers = NULL;
}

// --- redirects ---

// Returns a part of a URL, "" if it has none. The caller frees it.
static char *part_of(const struct client *client, const char *url, CURLUPart which)
{
    char *text = NULL;
    CURLU *parsed = client->curl->url();
    if (client->curl->url_set(parsed, CURLUPART_URL, url, 0) == CURLUE_OK)
        client->curl->url_get(parsed, which, &text, CURLU_DEFAULT_PORT);
    char *copy = xstrdup(text ? text : "");
    client->curl->free(text);
    client->curl->url_cleanup(parsed);
    return copy;
}

static bool same_part(const struct client *client, const char *a, const char *b, CURLUPart which)
{
    AUTO_FREE char *left = part_of(client, a, which), *right = part_of(client, b, which);
    return strcasecmp(left, right) == 0;
}

static bool same_origin(const struct client *client, const char *a, const char *b)
{
    return same_part(client, a, b, CURLUPART_SCHEME) && same_part(client, a, b, CURLUPART_HOST) &&
           same_part(client, a, b, CURLUPART_PORT);
}

// Returns why a redirect may not be followed, which the caller frees, or NULL.
static char *refusal(const struct client *client, struct transfer *transfer, const char *to)
{
    AUTO_FREE char *scheme = part_of(client, transfer->url, CURLUPART_SCHEME);
    AUTO_FREE char *new_scheme = part_of(client, to, CURLUPART_SCHEME);
    AUTO_FREE char *shown = escape_text_dup(to);
    if (++transfer->redirects > REDIRECTS_MAX)
        return xstrdup("it redirects again and again");
    if (strcmp(scheme, "https") == 0 && strcmp(new_scheme, "https") != 0)
        return xasprintf("it redirects from https to %s, which others can read and change; ask "
                         "there yourself if you want that", shown);
    return NULL;
}

static void follow(const struct client *client, struct transfer *transfer, const char *to)
{
    AUTO_FREE char *refused = refusal(client, transfer, to);
    if (refused) {
        fail(transfer, RC_FAIL, refused);
        return;
    }
    transfer->trusted = transfer->trusted && same_origin(client, transfer->url, to);
    char *next = xstrdup(to); // which belongs to the handle
    end(client, transfer);
    free(transfer->url);
    transfer->url = next;
    begin(client, transfer);
}

// --- answers ---

// Servers say in a line of plain text what is wrong; a page is for browsers.
static void fail_with_status(struct transfer *transfer, long status, const char *kind)
{
    const struct buf *body = &transfer->request->body;
    bool text = body->length && (!kind || strncasecmp(kind, "text/plain", 10) == 0);
    AUTO_FREE char *first = xstrndup(text ? body->data : "", ERROR_SHOWN);
    first[strcspn(first, "\r\n")] = '\0';
    AUTO_FREE char *shown = escape_text_dup(first);
    bool denied = status == 401 || status == 403;
    AUTO_FREE char *reason = xasprintf(
        "the server answers %ld%s%s%s", status, *shown ? ": " : "", shown,
        status == 401 ? "; it wants credentials: set PTPROF_USER and PTPROF_PASSWORD or "
                        "PTPROF_BEARER_TOKEN, or use a netrc file" : "");
    fail(transfer, denied ? RC_DENIED : RC_FAIL, reason);
}

static void judge_answer(const struct client *client, struct transfer *transfer)
{
    const struct curl_library *curl = client->curl;
    char *kind = NULL, *to = NULL;
    long status = 0;
    curl->easy_getinfo(transfer->handle, CURLINFO_RESPONSE_CODE, &status);
    curl->easy_getinfo(transfer->handle, CURLINFO_CONTENT_TYPE, &kind);
    curl->easy_getinfo(transfer->handle, CURLINFO_REDIRECT_URL, &to);
    if (status / 100 == 3 && to)
        follow(client, transfer, to);
    else if (status != 200)
        fail_with_status(transfer, status, kind);
    else if (kind && strncasecmp(kind, "text/html", 9) == 0)
        fail(transfer, RC_FORMAT, "the server answers a page of HTML, not a profile: a login or "
                                  "a proxy is in between, or the path is wrong");
    else
        transfer->is_over = true;
}

static void judge_failure(const struct client *client, struct transfer *transfer, CURLcode failed)
{
    const char *said = *transfer->error ? transfer->error : client->curl->easy_strerror(failed);
    AUTO_FREE char *shown = escape_text_dup(said);
    AUTO_FREE char *reason = NULL;
    enum rc rc = RC_FAIL;
    if (transfer->too_long) {
        reason = xasprintf("the answer is longer than %u MiB", PROFILE_UNPACKED_MAX >> 20);
        rc = RC_LIMIT;
    } else if (failed == CURLE_OPERATION_TIMEDOUT) {
        reason = xasprintf("no complete answer within %lld s; --timeout gives it more",
                           (long long)(transfer->request->patience / NS_PER_S));
        rc = RC_TIMEOUT;
    } else if (failed == CURLE_PEER_FAILED_VERIFICATION || failed == CURLE_SSL_CACERT_BADFILE) {
        reason = xasprintf("its certificate is not to be trusted (%s); --ca FILE names whom to "
                           "trust, --insecure trusts whoever answers", shown);
        rc = RC_DENIED;
    } else {
        reason = xstrdup(shown);
    }
    fail(transfer, rc, reason);
}

// --- all of them ---

static void take_results(const struct client *client)
{
    int left;
    for (CURLMsg *message; (message = client->curl->multi_info_read(client->multi, &left));) {
        struct transfer *transfer = NULL;
        CURLcode result = message->data.result; // the message is gone once its handle is
        client->curl->easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
        if (result)
            judge_failure(client, transfer, result);
        else
            judge_answer(client, transfer);
        if (transfer->is_over)
            end(client, transfer);
    }
}

static bool all_over(const struct client *client)
{
    for (size_t i = 0; i < client->count; i++)
        if (!client->transfers[i].is_over)
            return false;
    return true;
}

static enum rc run(const struct client *client, const struct http_waiting *waiting,
                   struct err *err)
{
    struct curl_waitfd extra = {.fd = waiting ? waiting->descriptor : -1,
                                .events = CURL_WAIT_POLLIN};
    for (;;) {
        int running;
        client->curl->multi_perform(client->multi, &running);
        take_results(client);
        if (all_over(client))
            return RC_OK;
        client->curl->multi_poll(client->multi, &extra, extra.fd >= 0, WAIT_MS, NULL);
        if (waiting && !waiting->go_on(waiting->context))
            return err_set(err, RC_GONE, "stopped; nothing is written");
    }
}

static void prepare(struct client *client, struct http_request *requests)
{
    client->transfers = xcalloc(client->count, sizeof *client->transfers);
    for (size_t i = 0; i < client->count; i++) {
        requests[i].rc = RC_OK;
        client->transfers[i] = (struct transfer){
            .request = &requests[i],
            .url = xstrdup(requests[i].url),
            .trusted = true,
            .deadline = clock_now() + requests[i].patience,
        };
        begin(client, &client->transfers[i]);
    }
}

enum rc http_ask(struct http_request *requests, size_t count, const struct http_options *options,
                 const struct http_waiting *waiting, struct err *err)
{
    struct client client = {.options = options, .count = count};
    enum rc rc = curl_library_get(&client.curl, err);
    if (rc != RC_OK)
        return rc;
    client.multi = client.curl->multi_init();
    if (!client.multi)
        return err_set(err, RC_LIMIT, "there is no memory for connections");
    prepare(&client, requests);
    rc = run(&client, waiting, err);
    for (size_t i = 0; i < count; i++) {
        end(&client, &client.transfers[i]);
        free(client.transfers[i].url);
    }
    client.curl->multi_cleanup(client.multi);
    free(client.transfers);
    return rc;
}
