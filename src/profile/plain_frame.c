// SPDX-License-Identifier: MIT
#include "profile/plain_frame.h"

#include <assert.h>
#include <string.h>

#define NAMELESS "[unknown]"

size_t plain_frame_count(const struct plain_profile *profile, uint32_t location)
{
    assert(location < profile->code.location_count);
    size_t count = profile->code.locations[location].count;
    return count ? count : 1;
}

// The symbolizer calls code without a name "MODULE+0x1f0".
static bool is_place(const char *name, const char *module)
{
    size_t length = strlen(module);
    if (!length || strncmp(name, module, length) != 0 || strncmp(name + length, "+0x", 3) != 0)
        return false;
    const char *digits = name + length + 3;
    return *digits && digits[strspn(digits, "0123456789abcdef")] == '\0';
}

static void fill_line(const struct plain_profile *profile, const struct plain_line *line,
                      struct plain_frame *frame)
{
    const struct plain_function *function = &profile->code.functions[line->function];
    frame->name_text = function->name;
    frame->name = plain_string(profile, function->name);
    frame->file_text = function->file;
    frame->file = plain_string(profile, function->file);
    frame->line = line->line;
    frame->column = line->column;
}

static void fill_mapping(const struct plain_profile *profile, const struct plain_location *at,
                         struct plain_frame *frame)
{
    const struct plain_mapping *mapping = &profile->code.mappings[at->mapping];
    frame->module_text = mapping->module;
    frame->module = plain_string(profile, mapping->module);
    frame->offset = at->address - mapping->start + mapping->offset;
    if (!at->count) {
        frame->name_text = mapping->placeholder;
        frame->name = plain_string(profile, mapping->placeholder);
    }
    frame->unnamed = !frame->inlined && is_place(frame->name, frame->module);
    frame->made = mapping->made && !frame->unnamed && frame->name_text != mapping->placeholder;
}

struct plain_frame plain_frame(const struct plain_profile *profile, uint32_t location,
                               size_t number)
{
    assert(location < profile->code.location_count);
    const struct plain_location *at = &profile->code.locations[location];
    struct plain_frame frame = {.name = NAMELESS, .module = "", .file = "", .offset = at->address};
    frame.inlined = number + 1 < at->count;
    if (at->count)
        fill_line(profile, &profile->code.lines[at->first + number], &frame);
    if (at->mapping != PLAIN_NONE)
        fill_mapping(profile, at, &frame);
    return frame;
}
