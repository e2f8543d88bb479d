// SPDX-License-Identifier: MIT
// speedscope's JSON (https://www.speedscope.app/file-format-schema.json): frames that all profiles
// share, and profiles, which become threads of one (label "thread"). A "sampled" one has stacks
// with weights; an "evented" one tells when frames were opened and closed, and a stack counts as
// long as it was there. Values have the type of their unit, so that profiles of several
// units become types of one profile:
//   none            samples/count
//   nanoseconds...  time/nanoseconds, whichever unit of time it is
//   bytes           space/bytes
// What lies between them is rounded.
#include <jansson.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "output/json_load.h"
#include "output/parsers.h"
#include "output/scan.h"
#include "profile/plain.h"

struct speedscope_unit {
    const char *name, *type, *unit;
    double factor;
};

static const struct speedscope_unit units[] = {
    {"none", "samples", "count", 1},
    {"nanoseconds", "time", "nanoseconds", 1},
    {"microseconds", "time", "nanoseconds", 1e3},
    {"milliseconds", "time", "nanoseconds", 1e6},
    {"seconds", "time", "nanoseconds", 1e9},
    {"bytes", "space", "bytes", 1},
};

struct speedscope_text {
    struct plain_profile *to;
    const json_t *frames, *profiles;
    size_t number;           // of the profile at hand
    const struct speedscope_unit *unit; // of that
    size_t type;             // of its values
    uint32_t labels;
    size_t room; // as in struct parser
    struct err *err;
};

#define WRONG(speedscope, ...) err_set((speedscope)->err, RC_FORMAT, __VA_ARGS__)

bool speedscope_recognizes(const char *bytes, size_t length)
{
    struct text_span text = {bytes, bytes + length};
    scan_text(&text, "\xef\xbb\xbf");
    while (scan_left(&text) && strchr(" \t\r\n", *text.at) && *text.at)
        text.at++;
    if (!scan_text(&text, "{"))
        return false;
    while (scan_left(&text) && strchr(" \t\r\n", *text.at) && *text.at)
        text.at++;
    return scan_is_at(&text, '"') || scan_is_at(&text, '}');
}

// --- frames ---

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static int64_t number_of(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    json_int_t number = json_is_integer(value) ? json_integer_value(value) : 0;
    return number > 0 && number <= INT32_MAX ? number : 0;
}

// Frames are locations in the order in which they stand there.
static enum rc take_frames(struct speedscope_text *speedscope)
{
    const json_t *frame;
    size_t i;
    json_array_foreach((json_t *)speedscope->frames, i, frame) {
        const char *name = json_string_value(json_object_get(frame, "name"));
        if (!name)
            return WRONG(speedscope, "frame %zu has no name", i);
        struct plain_line line = {.line = number_of(frame, "line"),
                                  .column = number_of(frame, "col")};
        line.function = plain_add_function(speedscope->to, (struct plain_function){
            .name = plain_text(speedscope->to, name),
            .file = plain_text(speedscope->to, text_of(frame, "file")),
        });
        plain_add_location(speedscope->to, PLAIN_NONE, 0, &line, 1);
    }
    return RC_OK;
}

// Returns PLAIN_NONE, and says why, when it is none of the frames.
static uint32_t frame_of(struct speedscope_text *speedscope, const json_t *value)
{
    json_int_t number = json_is_integer(value) ? json_integer_value(value) : -1;
    if (number >= 0 && (uint64_t)number < speedscope->to->code.location_count)
        return (uint32_t)number;
    WRONG(speedscope, "profile %zu has a frame that is none of the %zu in \"shared\"",
          speedscope->number, speedscope->to->code.location_count);
    return PLAIN_NONE;
}

static enum rc child_of(struct speedscope_text *speedscope, uint32_t *node, const json_t *frame)
{
    uint32_t location = frame_of(speedscope, frame);
    if (location == PLAIN_NONE)
        return RC_FORMAT;
    enum rc rc =
        parser_check_room(speedscope->to, 1, json_load_memory(), speedscope->room, speedscope->err);
    if (rc == RC_OK)
        *node = plain_child(speedscope->to, *node, location);
    return rc;
}

// --- values ---

static void add(struct speedscope_text *speedscope, uint32_t node, double weight)
{
    int64_t values[ARRAY_LENGTH(units)] = {0};
    double value = round(weight * speedscope->unit->factor);
    values[speedscope->type] = value < 0x1p63 ? (int64_t)value : INT64_MAX;
    if (values[speedscope->type] > 0)
        plain_add(speedscope->to, plain_sample(speedscope->to, node, speedscope->labels), values);
}

static enum rc take_sampled(struct speedscope_text *speedscope, const json_t *profile)
{
    const json_t *samples = json_object_get(profile, "samples"), *sample, *frame;
    const json_t *weights = json_object_get(profile, "weights");
    size_t i, j;
    if (!json_is_array(samples) || json_array_size(samples) != json_array_size(weights))
        return WRONG(speedscope, "profile %zu has %zu samples and %zu weights", speedscope->number,
                     json_array_size(samples), json_array_size(weights));
    json_array_foreach((json_t *)samples, i, sample) {
        const json_t *weight = json_array_get(weights, i);
        uint32_t node = 0;
        if (!json_is_array(sample) || !json_is_number(weight) || json_number_value(weight) < 0)
            return WRONG(speedscope, "sample %zu of profile %zu is no stack with a weight", i,
                         speedscope->number);
        json_array_foreach((json_t *)sample, j, frame) {
            enum rc rc = child_of(speedscope, &node, frame);
            if (rc != RC_OK)
                return rc;
        }
        add(speedscope, node, json_number_value(weight));
    }
    return RC_OK;
}

// Opens or closes a frame.
static enum rc take_event(struct speedscope_text *speedscope, const json_t *event, size_t number,
                          uint32_t *node)
{
    const char *type = text_of(event, "type");
    const json_t *frame = json_object_get(event, "frame");
    if (strcmp(type, "O") == 0)
        return child_of(speedscope, node, frame);
    if (strcmp(type, "C") != 0)
        return WRONG(speedscope, "event %zu of profile %zu neither opens nor closes a frame",
                     number, speedscope->number);
    uint32_t location = frame_of(speedscope, frame);
    if (location == PLAIN_NONE)
        return RC_FORMAT;
    if (!*node || speedscope->to->stacks.nodes[*node].location != location)
        return WRONG(speedscope, "event %zu of profile %zu closes a frame that is not the "
                     "innermost open one", number, speedscope->number);
    *node = speedscope->to->stacks.nodes[*node].parent;
    return RC_OK;
}

static enum rc take_evented(struct speedscope_text *speedscope, const json_t *profile)
{
    const json_t *events = json_object_get(profile, "events"), *event;
    double last = json_number_value(json_object_get(profile, "startValue"));
    double end = json_number_value(json_object_get(profile, "endValue"));
    uint32_t node = 0;
    size_t i;
    if (!json_is_array(events))
        return WRONG(speedscope, "profile %zu has no events", speedscope->number);
    json_array_foreach((json_t *)events, i, event) {
        const json_t *at = json_object_get(event, "at");
        if (!json_is_number(at) || (i && json_number_value(at) < last))
            return WRONG(speedscope, "event %zu of profile %zu is before the one before it, or has "
                         "no time", i, speedscope->number);
        if (node)
            add(speedscope, node, json_number_value(at) - last);
        last = json_number_value(at);
        enum rc rc = take_event(speedscope, event, i, &node);
        if (rc != RC_OK)
            return rc;
    }
    if (node && end > last)
        add(speedscope, node, end - last);
    return RC_OK;
}

// --- profiles ---

static const struct speedscope_unit *unit_of(const json_t *profile)
{
    const char *name = text_of(profile, "unit");
    for (size_t i = 0; i < ARRAY_LENGTH(units); i++)
        if (strcmp(units[i].name, name) == 0)
            return &units[i];
    return NULL;
}

// Returns the number of the type of these values, which is added when it is new.
static size_t type_of(struct plain_profile *to, const struct speedscope_unit *unit)
{
    for (size_t i = 0; i < to->type_count; i++)
        if (strcmp(plain_string(to, to->types[i].type), unit->type) == 0)
            return i;
    plain_add_type(to, unit->type, unit->unit);
    return to->type_count - 1;
}

static enum rc take_types(struct speedscope_text *speedscope)
{
    const json_t *profile;
    size_t i;
    json_array_foreach((json_t *)speedscope->profiles, i, profile) {
        const struct speedscope_unit *unit = unit_of(profile);
        if (!unit)
            return WRONG(speedscope, "profile %zu has values in a unit that ptprof does not know",
                         i);
        type_of(speedscope->to, unit);
    }
    return i ? RC_OK : WRONG(speedscope, "it has no profiles");
}

static enum rc take_profile(struct speedscope_text *speedscope, const json_t *profile)
{
    const char *type = text_of(profile, "type");
    speedscope->unit = unit_of(profile);
    speedscope->type = type_of(speedscope->to, speedscope->unit);
    speedscope->labels = plain_with_text(speedscope->to, 0, "thread", text_of(profile, "name"));
    if (strcmp(type, "sampled") == 0)
        return take_sampled(speedscope, profile);
    if (strcmp(type, "evented") == 0)
        return take_evented(speedscope, profile);
    return WRONG(speedscope, "profile %zu is neither sampled nor evented", speedscope->number);
}

static enum rc take_all(struct speedscope_text *speedscope, const json_t *root)
{
    speedscope->frames = json_object_get(json_object_get(root, "shared"), "frames");
    speedscope->profiles = json_object_get(root, "profiles");
    if (!json_is_array(speedscope->frames) || !json_is_array(speedscope->profiles))
        return WRONG(speedscope, "it is JSON, but not of speedscope, which has \"shared\" and "
                     "\"profiles\"");
    enum rc rc = take_types(speedscope);
    if (rc == RC_OK)
        rc = take_frames(speedscope);
    for (size_t i = 0; rc == RC_OK && i < json_array_size(speedscope->profiles); i++) {
        speedscope->number = i;
        rc = take_profile(speedscope, json_array_get(speedscope->profiles, i));
    }
    return rc;
}

enum rc speedscope_parse(const char *bytes, size_t length, size_t room,
                         struct plain_profile **profile, struct err *err)
{
    struct speedscope_text speedscope = {.to = plain_new(), .room = room, .err = err};
    struct json_load load;
    enum rc rc = json_load_begin(&load, bytes, length, room, err);
    if (rc == RC_OK)
        rc = take_all(&speedscope, load.root);
    json_load_end(&load);
    *profile = rc == RC_OK ? speedscope.to : NULL;
    if (rc != RC_OK)
        plain_free(speedscope.to);
    return rc;
}
