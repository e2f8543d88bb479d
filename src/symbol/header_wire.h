// SPDX-License-Identifier: MIT
// The protocol between the main process and the one that reads ELF headers and tables of variables.
#pragma once

#include "process/image.h"

#define OBJECT_NAME_MAX 4096u
#define SEGMENTS_AT_ONCE 64u

enum header_kind {
    HEADER_READ,   // asks for the headers of a file; with a descriptor of it
    HEADER_OBJECT, // which variable of the file `number` is at `address`; with a descriptor of it
                   // if the answer was OBJECT_UNOPENED before
    HEADER_NAMED,  // the same, by the name of the variable
};

struct header_question {
    uint32_t kind;
    uint32_t number;
    uint64_t address;  // link-time
    char name[64];     // with its NUL
};

struct header_answer { // to HEADER_READ; segments follow, SEGMENTS_AT_ONCE a message
    uint32_t rc;      // RC_OK or RC_FORMAT
    char problem[96]; // for RC_FORMAT
    struct image_headers headers;
};

enum object_state {
    OBJECT_NONE,
    OBJECT_FOUND,
    OBJECT_UNOPENED, // the file has to be passed first
};

struct object_answer {
    uint32_t state;
    uint64_t offset; // of the address inside the variable; of HEADER_NAMED its link-time address
    uint64_t size;   // of the variable, bytes
    char name[OBJECT_NAME_MAX]; // raw; sent as far as its NUL
};
