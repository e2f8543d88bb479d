// SPDX-License-Identifier: MIT
// What records say to the recorder of a trace, if there is one.
#include "collect/consumer_state.h"

void consumer_trace(struct consumer *consumer, struct recorder *recorder)
{
    consumer->recorder = recorder;
}

void consumer_record_look(struct consumer *consumer, const struct account *thread,
                          const struct capture *capture, const struct recorder_look *found)
{
    struct recorder_look look = *found;
    if (!consumer->recorder)
        return;
    look.tid = thread->tid;
    look.time = capture->time;
    look.stopped = !(capture->flags & CAPTURE_IN_PLACE);
    recorder_look(consumer->recorder, &look);
}

void consumer_record_asleep(struct consumer *consumer, const struct account *thread)
{
    if (consumer->recorder)
        recorder_asleep(consumer->recorder, thread->tid);
}

void consumer_record_name(struct consumer *consumer, pid_t pid, const struct record_thread *record)
{
    if (consumer->recorder)
        recorder_meet(consumer->recorder, pid, record->tid, record->comm);
}

void consumer_record_time(struct consumer *consumer, const struct account *thread,
                          const struct record_thread_time *record)
{
    if (!consumer->recorder)
        return;
    recorder_period(consumer->recorder, &(struct recorder_period){
        .tid = thread->tid,
        .time = record->time,
        .elapsed = record->elapsed_ns,
        .running = record->cpu_ns,
        .queued = record->queued_ns,
        .ended = record->record.kind == RECORD_THREAD_END,
    });
}
