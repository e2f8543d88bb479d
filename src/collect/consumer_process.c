// SPDX-License-Identifier: MIT
// Processes begin, run other programs and end.
#include <string.h>

#include "base/clock.h"
#include "collect/consumer_state.h"
#include "process/space.h"
#include "sample/record.h"

#define YOUNG_NS NS_PER_S // a process loads its libraries in this time

// Forgets how deep the stacks of the image were, because it says nothing of the stacks of the next
// image.
static void forget_stacks(struct consumer *consumer, const struct process *process)
{
    const struct population *population = &consumer->population;
    for (struct account *thread = NULL; (thread = population_next(population, process, thread));) {
        thread->hint = (struct stack_hint){0};
        consumer_hint(consumer, thread);
    }
}

void consumer_forget_thread(struct consumer *consumer, struct account *thread)
{
    profile_thread_end(consumer->profile, thread->profile_thread);
    delays_end_thread(&consumer->delays, thread);
    population_remove_thread(&consumer->population, thread);
}

// Returns the number of the family that children of the process belong to.
static uint32_t family_of(struct consumer *consumer, struct process *parent)
{
    const struct run_process *facts = &consumer->facts.list[parent->facts];
    if (parent->children == NO_FAMILY)
        parent->children =
            short_lived_family(&consumer->short_lived, facts->pid, facts->comm);
    return parent->children;
}

void consumer_share_unmet(struct consumer *consumer, struct process *process, uint64_t ns)
{
    if ((int64_t)ns == process->shared_ns)
        return;
    short_lived_unmet(&consumer->short_lived, family_of(consumer, process),
                      (int64_t)ns - process->shared_ns);
    process->shared_ns = (int64_t)ns;
}

static void give_up_children(struct consumer *consumer, struct process *process)
{
    consumer_share_unmet(consumer, process, process->unmet_ns);
    process->cpu_ns = process->unmet_ns = 0;
    process->shared_ns = 0;
}

void consumer_give_up(struct consumer *consumer, struct process *process)
{
    const struct run_process *facts = &consumer->facts.list[process->facts];
    uint64_t open_ns = weights_process_end(&process->weights);
    if (process->family == NO_FAMILY)
        unattributed_add(&consumer->unattributed, facts->pid, facts->comm, open_ns);
    else
        short_lived_end(&consumer->short_lived, process->family, facts->comm, process->sampled,
                        open_ns);
    give_up_children(consumer, process);
}

static void forget_process(struct consumer *consumer, struct process *process)
{
    struct population *population = &consumer->population;
    consumer_give_up(consumer, process);
    // Threads that no sampler has seen since another one died have no record of their end.
    for (struct account *thread = NULL;
         population->left.count && (thread = population_next(population, process, thread));)
        if (population_is_left(population, thread))
            consumer_forget_thread(consumer, thread);
    population_remove_process(population, process);
}

static struct process *process_with_pid(struct consumer *consumer, pid_t pid)
{
    for (size_t i = 0; i < consumer->population.process_count; i++) {
        struct process *process = &consumer->population.processes[i];
        if (!process->ended && consumer->facts.list[process->facts].pid == pid)
            return process;
    }
    return NULL;
}

// A child whose parent is not there any more is in the family of its own program's children.
static void join_family(struct consumer *consumer, struct process *child,
                        const struct record_process *record)
{
    if (!record->parent)
        return;
    struct process *parent = process_with_pid(consumer, record->parent);
    child->family = parent ? family_of(consumer, parent)
                           : short_lived_family(&consumer->short_lived, 0, record->comm);
}

// Returns the process of a record and adds it when it is new. Returns NULL when the record is of
// the end of a process that is not known.
static struct process *process_for(struct consumer *consumer, const struct record_process *record)
{
    struct process *process = population_process(&consumer->population, record->process);
    if (process || record->record.kind == RECORD_PROCESS_END)
        return process;
    uint32_t facts = facts_of(&consumer->facts, record->pid);
    process = population_process_of(&consumer->population, facts);
    if (!process) {
        process = population_add_process(&consumer->population, record->process, facts);
        process->pid = record->pid;
        join_family(consumer, process, record);
        return process;
    }
    population_take_over(&consumer->population, consumer->profile, process, record->process);
    give_up_children(consumer, process); // the sampler counts from zero
    return process;
}

// Sets the name that the process got by exec, or that the sampler read at its end.
static void rename_process(struct consumer *consumer, const struct process *process,
                           const char comm[COMM_MAX])
{
    struct run_process *facts = &consumer->facts.list[process->facts];
    const struct population *population = &consumer->population;
    if (!*comm || strcmp(comm, facts->comm) == 0) // a process that is gone has no name
        return;
    memcpy(facts->comm, comm, sizeof facts->comm);
    for (struct account *thread = NULL; (thread = population_next(population, process, thread));)
        profile_thread_rename_process(consumer->profile, thread->profile_thread, comm);
}

// A process that forked without exec is a copy of its parent, also once it has ended.
static void borrow_image(const struct consumer *consumer, struct process_image *image)
{
    const struct population *population = &consumer->population;
    for (size_t i = 0; space_is_empty(image->space) && i < population->process_count; i++) {
        const struct process_image *other = &population->processes[i].image;
        if (image->number && other->number == image->number && !space_is_empty(other->space))
            process_image_borrow(image, other);
    }
}

void consumer_take_process(struct consumer *consumer, const void *data)
{
    const struct record_process *record = data;
    struct process *process = process_for(consumer, record);
    if (!process)
        return;
    struct run_process *facts = &consumer->facts.list[process->facts];
    rename_process(consumer, process, record->comm);
    if (record->record.kind == RECORD_PROCESS_END) {
        facts->ended = true;
        forget_process(consumer, process);
        return;
    }
    process_image_load(&process->image, consumer->modules, record->pid, record->pid, record->image,
                       consumer->walker);
    borrow_image(consumer, &process->image);
    consumer_want_promptly(consumer, YOUNG_NS);
    if (consumer->began)
        consumer->began(consumer->watcher, record->pid);
    if (record->record.kind == RECORD_EXEC) {
        facts->execs++;
        forget_stacks(consumer, process);
    }
}
