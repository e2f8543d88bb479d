// SPDX-License-Identifier: MIT
// A reading is what a report is made of: profiles from files, added up, less a base, of one type,
// through the filters.
#pragma once

#include "profile/plain_filter.h"

struct reading_options {
    const char *sample_type; // name or number, NULL: the profile's default
    bool inuse, alloc;       // of a heap profile, in place of it
    const char *base, *diff_base; // files to take away; the second is what percentages are of
    struct plain_filter filter;
};

// The rows of an option table for the filter of a struct that has a member `reading`. AT is the
// macro of that table.
#define READING_FILTER_OPTIONS                                                                     \
    {"focus", 0, OPTION_STRING, "RE", AT(reading.filter.focus),                                    \
     .help = "only stacks in which a function, its file or its module matches"},                   \
    {"ignore", 0, OPTION_STRING, "RE", AT(reading.filter.ignore),                                  \
     .help = "only stacks in which none does"},                                                    \
    {"hide", 0, OPTION_STRING, "RE", AT(reading.filter.hide),                                      \
     .help = "leave out frames that match"},                                                       \
    {"show", 0, OPTION_STRING, "RE", AT(reading.filter.show),                                      \
     .help = "leave out all other frames"},                                                        \
    {"tagfocus", 0, OPTION_STRING, "TAG", AT(reading.filter.tag_focus),                            \
     .help = "only samples with such a label: thread=RE, bytes=1kb:4kb, RE"},                      \
    {"tagignore", 0, OPTION_STRING, "TAG", AT(reading.filter.tag_ignore),                          \
     .help = "only samples without one"}

struct reported {
    struct plain_profile *whole; // before the filters: percentages are of it; owned
    struct plain_profile *part;  // after them; owned
    size_t value;                // number of the type
    const char *type, *unit;     // its texts
    int64_t all;                 // as call_graph_all says of the whole
};

// Adds up the profiles of files. The caller frees the sum.
enum rc reading_sum(char *const *files, size_t count, struct plain_profile **sum,
                    struct err *err) MUST_CHECK;

// Takes the profile of a file away. marked: what was negative stays apart, as pprof's -diff_base.
enum rc reading_take_base(struct plain_profile **profile, const char *file, bool marked,
                          struct err *err) MUST_CHECK;

// Fails as profile_input_read and plain_filter, and with RC_USAGE if there is no such type.
enum rc reading_open(char **files, size_t count, const struct reading_options *options,
                     struct reported *reading, struct err *err) MUST_CHECK;

// Does the same with a profile that is there already. It is taken over, whatever the result is.
enum rc reading_of(struct plain_profile *profile, const struct reading_options *options,
                   struct reported *reading, struct err *err) MUST_CHECK;
void reading_close(struct reported *reading);
