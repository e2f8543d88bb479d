// SPDX-License-Identifier: MIT
#include "serve/curl_library.h"

#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

#include "base/mem.h"

#define LIBRARY "libcurl.so.4"

#define ROW(member, name) {offsetof(struct curl_library, member), name}

static const struct {
    size_t offset;
    const char *name;
} functions[] = {
    ROW(global_init, "curl_global_init"),
    ROW(easy_init, "curl_easy_init"),
    ROW(easy_cleanup, "curl_easy_cleanup"),
    ROW(easy_setopt, "curl_easy_setopt"),
    ROW(easy_getinfo, "curl_easy_getinfo"),
    ROW(easy_strerror, "curl_easy_strerror"),
    ROW(multi_init, "curl_multi_init"),
    ROW(multi_cleanup, "curl_multi_cleanup"),
    ROW(multi_add_handle, "curl_multi_add_handle"),
    ROW(multi_remove_handle, "curl_multi_remove_handle"),
    ROW(multi_perform, "curl_multi_perform"),
    ROW(multi_poll, "curl_multi_poll"),
    ROW(multi_info_read, "curl_multi_info_read"),
    ROW(slist_append, "curl_slist_append"),
    ROW(slist_free_all, "curl_slist_free_all"),
    ROW(url, "curl_url"),
    ROW(url_cleanup, "curl_url_cleanup"),
    ROW(url_get, "curl_url_get"),
    ROW(url_set, "curl_url_set"),
    ROW(url_strerror, "curl_url_strerror"),
    ROW(free, "curl_free"),
};

static enum rc load(struct curl_library *library, struct err *err)
{
    void *loaded = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (!loaded)
        return err_set(err, RC_FAIL, "%s is missing, which speaks HTTP; install the package "
                                     "libcurl4", LIBRARY);
    for (size_t i = 0; i < ARRAY_LENGTH(functions); i++) {
        void *function = dlsym(loaded, functions[i].name);
        if (!function)
            return err_set(err, RC_FAIL, "%s has no %s: it is too old; 7.85 is needed", LIBRARY,
                           functions[i].name);
        memcpy((char *)library + functions[i].offset, &function, sizeof function);
    }
    CURLcode failed = library->global_init(CURL_GLOBAL_DEFAULT);
    if (failed)
        return err_set(err, RC_FAIL, "%s does not start: %s", LIBRARY,
                       library->easy_strerror(failed));
    return RC_OK;
}

enum rc curl_library_get(const struct curl_library **library, struct err *err)
{
    static struct curl_library loaded;
    static bool is_loaded;
    *library = &loaded;
    if (is_loaded)
        return RC_OK;
    enum rc rc = load(&loaded, err);
    is_loaded = rc == RC_OK;
    return rc;
}
