// SPDX-License-Identifier: MIT
// Configuration files: YAML, of which mappings, texts and lists of texts are taken. What makes a
// file mean something else than what one reads in it (anchors, aliases, tags, a key that comes
// twice) is refused, and size, depth and number of keys are bounded.
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "base/text_list.h"

#define YAML_FILE_MOST (256u << 10) // bytes
#define YAML_DEPTH_MOST 4           // mappings within mappings
#define YAML_KEYS_MOST 1000
#define YAML_TEXTS_MOST 10000

struct yaml_entry { // borrowed
    const char *key; // of all levels with '-' between, '_' as '-': "metrics-interval"
    const struct text_list *values; // one, or those of a list
    unsigned line;
};

// Takes an entry; where it fails, the reading ends with its error, and the place is put before it.
typedef enum rc (*yaml_visitor)(void *context, const struct yaml_entry *entry, struct err *err);

// Visits the entries of a text. name: of the file, for people. Fails with RC_USAGE and
// "NAME:LINE:COLUMN: what is wrong", or as the visitor does.
enum rc yaml_file_parse(const char *text, size_t length, const char *name, yaml_visitor visit,
                        void *context, struct err *err) MUST_CHECK;

// Reads a file and does the same. RC_USAGE too when it cannot be read.
enum rc yaml_file_read(const char *path, yaml_visitor visit, void *context,
                       struct err *err) MUST_CHECK;
