// SPDX-License-Identifier: MIT
// The page: the files of output/flame, and the cells as JSON for their script. Whatever comes from
// the profile is in that JSON, but for the title.
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "output/flame_data.h"
#include "output/flame_files.h"
#include "output/flame_text.h"
#include "output/formats.h"

static void put_title(struct flame_data *page)
{
    flame_text_put(&page->text, page->cells.request->title, SIZE_MAX);
}

// Nothing but our own script and style is run or loaded, whatever else comes to be in the page.
static void put_policy(struct flame_data *page)
{
    buf_printf(&page->text,
               "default-src 'none'; script-src '%s'; style-src '%s'; base-uri 'none'; "
               "form-action 'none'", flame_files_script_hash, flame_files_style_hash);
}

static void put_style(struct flame_data *page)
{
    buf_puts(&page->text, flame_files_style);
}

static void put_script(struct flame_data *page)
{
    buf_puts(&page->text, flame_files_script);
}

static const struct {
    const char *mark;
    void (*put)(struct flame_data *page);
} places[] = {
    {"{{title}}", put_title}, {"{{policy}}", put_policy}, {"{{style}}", put_style},
    {"{{data}}", flame_data_put},   {"{{script}}", put_script},
};

static const char *put_place(struct flame_data *page, const char *mark)
{
    for (size_t i = 0; i < ARRAY_LENGTH(places); i++) {
        size_t length = strlen(places[i].mark);
        if (strncmp(mark, places[i].mark, length) != 0)
            continue;
        places[i].put(page);
        return mark + length;
    }
    abort(); // a mistake in flame_head.html
}

static void put_page(struct flame_data *page)
{
    const char *at = flame_files_html;
    for (const char *mark; (mark = strstr(at, "{{"));) {
        buf_append(&page->text, at, (size_t)(mark - at));
        at = put_place(page, mark);
    }
    buf_puts(&page->text, at);
}

enum rc flame_page_write(const struct flame_request *request, FILE *out, struct err *err)
{
    struct flame_data page;
    enum rc rc = flame_data_init(&page, request, out, err);
    if (rc != RC_OK)
        return rc;
    put_page(&page);
    return flame_data_end(&page);
}
