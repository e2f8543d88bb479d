// SPDX-License-Identifier: MIT
// The requests that wait for an answer of the collector. Those with the same question about what is
// there now share one answer; a question that nobody waits for any more is taken back.
#pragma once

#include <stdbool.h>

#include "serve/front/exchange.h"

// Asks for the request, which then waits. text: as in exchange_ask. Ends the process when the
// collector has ended.
void waiting_ask(struct exchange *exchange, int text);

// Takes the next answer of the collector and gives it to all who wait for it. False: it is none;
// the server is about to end, and nobody new is to be accepted.
bool waiting_take_answer(void);

// Says whether that came a moment ago: who asks now has to connect again, to the next front.
bool waiting_is_over(void);

// The request waits no longer, whether or not it did.
void waiting_leave(struct exchange *exchange);

// Sends the collector a line for its log; who was refused and the like.
void waiting_log(const char *line);

// first_id: as in struct front_config.
void waiting_begin(int channel, uint32_t first_id);
