// SPDX-License-Identifier: MIT
// Streams of server-sent events: a reply without an end, in which each answer of the collector to
// the same question, asked again and again, is one message.
#pragma once

#include "serve/front/exchange.h"

// Begins one: the request's question (exchange->ask) is asked, and after each answer anew.
enum MHD_Result stream_begin(struct exchange *exchange);

// Sends an answer; one that failed is the last.
void stream_take(struct exchange *exchange, const struct answer_head *answer, int memory);

// Ends one whose client has left.
void stream_leave(struct stream *stream);

// The reply has come to its end.
void stream_free(struct stream *stream);

// Lets clients and what is between see that the connection lives, and ends those of who does not
// read.
void stream_tick(int64_t now);
