// SPDX-License-Identifier: MIT
// Rules are others from one moment to the next.
#include "serve/target.h"

#include <string.h>

#include "base/clock.h"

static const struct target_rule *rule_for(const struct target_list *list,
                                          struct serve_target *target)
{
    for (size_t i = 0; i < list->rule_count; i++)
        if (strcmp(rule_text(list->rules[i]), rule_text(target->rule)) == 0)
            return list->rules[i];
    for (size_t i = 0; i < list->rule_count && !target->ended_at; i++)
        if (rule_matches(list->rules[i], &target->facts, target->pid))
            return list->rules[i];
    return NULL;
}

// One that no rule takes any more is forgotten with the next look, or when nobody uses it.
static void follow(struct serve_target *target, const struct target_rule *rule, int64_t listed)
{
    target->rule = rule;
    if (!rule)
        target->ended_at = clock_now() - listed;
}

enum rc target_list_reload(struct target_list *list, const struct serve_settings *settings,
                           struct err *err)
{
    struct target_list next = {0}; // of which only the rules are made
    enum rc rc = target_rules_take(&next, settings, err);
    if (rc == RC_OK) {
        for (size_t i = 0; i < list->count; i++)
            if (list->targets[i]->rule)
                follow(list->targets[i], rule_for(&next, list->targets[i]),
                       settings->targets.listed);
        struct target_list before = *list;
        list->rules = next.rules;
        list->rule_count = next.rule_count;
        list->finder = next.finder; // it has seen nobody, so all are held against the rules
        list->look_at = 0;
        list->kept = settings->metrics.kept;
        list->most = settings->targets.most;
        list->listed = settings->targets.listed;
        next = before;
    }
    target_rules_free(&next);
    return rc;
}
