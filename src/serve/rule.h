// SPDX-License-Identifier: MIT
// Rules say which processes are targets: "comm=nginx", "exe=/usr/sbin/*,user=root",
// "cmdline~--config=\S*prod". Conditions with commas between them hold together. A condition is a
// key of serve/target_facts.h with '=' and a glob, where '*' stands for any bytes, or with '~' and
// a regular expression (base/pattern.h) that matches somewhere. A comma of theirs is "\,".
//
// "unit=redis-server" is redis-server.service too, and "container=ab12cd" all that begin so.
// "name=ID" is no condition: it is the ID that targets of the rule get.
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "serve/target_facts.h"

struct target_rule;

// Fails with RC_USAGE and what is wrong with it, after the words of `where` ("--match").
enum rc rule_parse(const char *text, const char *where, struct target_rule **rule,
                   struct err *err) MUST_CHECK;
void rule_free(struct target_rule *rule);

const char *rule_text(const struct target_rule *rule); // as it was given
const char *rule_name(const struct target_rule *rule); // NULL: it has none

// Says whether a process matches. Facts are read only as far as that takes.
bool rule_matches(const struct target_rule *rule, struct target_facts *facts, pid_t pid);
