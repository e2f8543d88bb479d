// SPDX-License-Identifier: MIT
// The state and functions that the files of the consumer share.
#pragma once

#include "collect/consumer.h"
#include "collect/delays.h"
#include "collect/facts.h"
#include "collect/population.h"
#include "collect/recorder.h"
#include "collect/stack_keeper.h"
#include "collect/thinning.h"
#include "collect/unattributed.h"
#include "sample/record.h"

struct consumer {
    struct control *control;
    struct modules *modules;
    struct profile *profile;
    int idle; // control->idle at the last drain
    struct walker *walker;
    void (*began)(void *context, pid_t pid); // NULL: not called
    void *watcher;
    void (*second)(void *context, int64_t ended); // NULL: not called
    void *follower;
    struct population population;
    struct process_facts facts;
    struct unattributed unattributed;
    struct short_lived short_lived;
    struct delays delays;
    double waits_rate;  // Hz of samples; 0: nobody asks what threads wait for
    int64_t followed_at, settled_at; // CLOCK_MONOTONIC ns: when locks were looked at last
    struct stack_keeper keeper;
    struct holds holds;
    struct consumer_counts counts;
    struct thinning thinning;
    int64_t pressed_until; // CLOCK_MONOTONIC ns
    struct recorder *recorder; // NULL: no trace is wanted
};

// Tells the sampler what the next copy of the thread's stack has to hold.
void consumer_hint(struct consumer *consumer, const struct account *thread);

// Has the sampler wake the consumer at once for so many ns. The less time lies between a sample and
// the reading of maps, the fewer mappings can change in it.
void consumer_want_promptly(struct consumer *consumer, int64_t ns);

// Tell the recorder, if there is one, of a look (state, stack and what it waits for), of one more
// that found the thread asleep, of its name and its times.
void consumer_record_look(struct consumer *consumer, const struct account *thread,
                          const struct capture *capture, const struct recorder_look *found);
void consumer_record_asleep(struct consumer *consumer, const struct account *thread);
void consumer_record_name(struct consumer *consumer, pid_t pid,
                          const struct record_thread *record);
void consumer_record_time(struct consumer *consumer, const struct account *thread,
                          const struct record_thread_time *record);

// Forgets a thread that is gone.
void consumer_forget_thread(struct consumer *consumer, struct account *thread);

// Says that no more samples of the process come: others may have to take its CPU time.
void consumer_give_up(struct consumer *consumer, struct process *process);

// Says that so many ns of CPU time of its children may be shared, which nobody met.
void consumer_share_unmet(struct consumer *consumer, struct process *process, uint64_t ns);

// Read a RECORD_PROCESS, _EXEC or _PROCESS_END, a RECORD_CAPTURE and a RECORD_ASLEEP.
void consumer_take_process(struct consumer *consumer, const void *data);
void consumer_take_capture(struct consumer *consumer, const void *data);
void consumer_take_asleep(struct consumer *consumer, const void *data);
