// SPDX-License-Identifier: MIT
#include "tui/views.h"

#include "tui/view.h"

const struct view *const views[VIEW_COUNT] = {
#define VIEW_ENTRY(id, name) [VIEW_##id] = &view_##name,
    VIEW_LIST(VIEW_ENTRY)
#undef VIEW_ENTRY
};
