// SPDX-License-Identifier: MIT
#include "tui/views.h"

#include "tui/view.h"

const struct view *const views[VIEW_COUNT] = {
#define VIEW_ENTRY(id, name) [VIEW_##id] = &view_##name,
    VIEW_LIST(VIEW_ENTRY)
#undef VIEW_ENTRY
};

const struct table *view_table(enum view_id view, const struct state *state)
{
    if (state->file.subject != SUBJECT_RUN && views[view]->file_table)
        return views[view]->file_table;
    bool delay = views[view]->delay_table && filter_is_delay(&state->query.filter);
    return delay ? views[view]->delay_table : views[view]->table;
}
