// SPDX-License-Identifier: MIT
// What is sent back. Every reply has the headers that keep a browser from doing anything else with
// it than show it.
#pragma once

#include "serve/front/exchange.h"

struct reply {
    unsigned status;    // of HTTP
    const char *type;   // Content-Type
    const char *file;   // name under which a browser saves it; NULL: it shows it
    const char *headers[8][2]; // more of them, ends in NULL
};

// Send bytes, which are copied; a text that ends in NUL; the memory that came with the answer,
// which is taken over.
enum MHD_Result reply_bytes(struct exchange *exchange, const struct reply *reply, const void *bytes,
                            size_t length);
enum MHD_Result reply_text(struct exchange *exchange, const struct reply *reply, const char *text);
enum MHD_Result reply_memory(struct exchange *exchange, const struct reply *reply);

// Refuse: text is one line without its end, for people. JSON or plain, as the path's replies are;
// what Go programs have gets the header by which their tools know that they may show the text.
// `refusal` has a status and headers only. text: NULL if there is nothing to say.
enum MHD_Result reply_error(struct exchange *exchange, unsigned status, const char *text);
enum MHD_Result reply_refusal(struct exchange *exchange, const struct reply *refusal,
                              const char *text);

// Sends what `read` gives, as long as it does.
enum MHD_Result reply_stream(struct exchange *exchange, const struct reply *reply,
                             MHD_ContentReaderCallback read, void *context);

// Returns the status of HTTP for an answer: 410 for a target that has ended, 404 for what never
// was one, 501 for what cannot be had.
unsigned reply_status(const struct answer_head *answer);
