// SPDX-License-Identifier: MIT
// Prints a dump as JSON. The keys are described in ptprof(1), DUMP-THREADS.
#include "dump/dump_print.h"
#include "output/json.h"

static const char *const end_names[] = {
    [DUMP_COMPLETE] = "complete",
    [DUMP_TIMEOUT] = "timeout",
    [DUMP_TARGET_ENDED] = "target_ended",
    [DUMP_INTERRUPTED] = "interrupted",
};

static const char *const problem_names[] = {
    [DUMP_FINE] = "",
    [DUMP_MOVED] = "moved",
    [DUMP_DENIED] = "denied",
    [DUMP_REFUSED] = "refused",
    [DUMP_UNSTOPPED] = "not_stopped",
    [DUMP_STARVED] = "no_cpu",
    [DUMP_UNREAD] = "not_read",
    [DUMP_UNWANTED] = "not_wanted",
};

static const char *const unwind_names[] = {
    [UNWIND_BOTTOM] = "root",
    [UNWIND_NO_INFO] = "no_unwind_information",
    [UNWIND_SHORT] = "stack_copy_too_short",
    [UNWIND_BAD_READ] = "unreadable_memory",
    [UNWIND_NO_PROGRESS] = "no_progress",
    [UNWIND_LIMIT] = "frame_limit",
    [UNWIND_NO_REGISTER] = "unknown_register",
    [UNWIND_ELSEWHERE] = "another_stack",
    [UNWIND_PROBE] = "return_probe",
};

static const char *const kernel_names[] = {
    [DUMP_KERNEL_UNASKED] = "",
    [DUMP_KERNEL_READ] = "read",
    [DUMP_KERNEL_DENIED] = "denied",
    [DUMP_KERNEL_ABSENT] = "absent",
};

static const char *const verdict_names[] = {
    [VERDICT_NONE] = "none",
    [VERDICT_CHAIN] = "chain",
    [VERDICT_DEADLOCK] = "deadlock",
    [VERDICT_PROBABLE_DEADLOCK] = "probable_deadlock",
};

static void put_line(struct json *json, const struct dump_frame *frame, size_t line)
{
    const struct symbol *symbol = frame->symbol;
    const struct symbol_line *source = &symbol->lines[line];
    bool last = line + 1 == symbol->line_count;
    char build_id[2 * BUILD_ID_MAX + 1] = "";
    if (frame->module && frame->module->image)
        image_build_id_hex(frame->module->image, build_id);
    json_line(json);
    json_begin(json, NULL, '{');
    if (symbol->found || symbol->placed || !last)
        output_json_function(json, source->name, symbol->placed && last);
    else
        json_text(json, "function", "");
    json_count(json, "function_offset",
               (symbol->found || symbol->placed) && last ? symbol->offset + !frame->interrupted
                                                         : 0);
    json_bool(json, "inlined", !last);
    json_text(json, "module", frame->module ? frame->module->path : "");
    json_count(json, "module_offset",
               dump_in_kernel(frame) ? 0 : frame->offset + !frame->interrupted);
    json_text(json, "build_id", build_id);
    json_count(json, "pc", frame->pc);
    json_count(json, "sp", frame->sp);
    json_text(json, "file", source->file);
    json_count(json, "line", source->line);
    json_end(json, '{');
}

static void put_frames(struct json *json, const struct dump_thread *thread,
                       const struct dump_style *style)
{
    size_t shown = dump_depth(thread, style);
    json_line(json);
    json_begin(json, "frames", '[');
    for (size_t i = 0; i < shown; i++)
        for (size_t k = 0; k < thread->frames[i].symbol->line_count; k++)
            put_line(json, &thread->frames[i], k);
    json_end(json, '[');
    json_count(json, "frame_count", thread->frame_count);
    json_text(json, "end", thread->frame_count ? unwind_names[thread->end] : "");
}

static void put_wait(struct json *json, const struct dump *dump, const struct wait *wait)
{
    bool known = wait->owner != WAIT_NOBODY && wait->owner < dump->count;
    json_line(json);
    json_begin(json, "wait", '{');
    json_text(json, "kind", wait_kind_names[wait->kind]);
    json_text(json, "text", wait->text);
    json_text(json, "syscall", wait->syscall);
    json_count(json, "object", wait->object);
    json_text(json, "object_name", wait->object_name);
    json_text(json, "object_kind", wait->object_kind);
    json_number(json, "owner_tid", known ? dump->threads[wait->owner].tid : wait->owner_tid);
    json_bool(json, "probable", wait->probable);
    json_bool(json, "timed", wait->timed);
    json_end(json, '{');
}

static void put_thread(struct json *json, const struct dump *dump, size_t index,
                       const struct dump_style *style)
{
    const struct dump_thread *thread = &dump->threads[index];
    json_line(json);
    json_begin(json, NULL, '{');
    json_number(json, "tid", thread->tid);
    json_text(json, "comm", thread->comm);
    json_text(json, "state", (char[]){thread->state, '\0'});
    json_bool(json, "running", thread->running);
    json_bool(json, "queued", thread->queued);
    json_bool(json, "stopped_by_us", thread->held);
    json_bool(json, "changed", thread->changed);
    json_text(json, "problem", problem_names[thread->problem]);
    json_count(json, "cpu_ns", thread->cpu_ns);
    json_count(json, "queued_ns", thread->queued_ns);
    json_number(json, "blocked_ns", thread->blocked_ns);
    put_wait(json, dump, &dump->waits[index]);
    put_frames(json, thread, style);
    json_end(json, '{');
}

static void put_verdict(struct json *json, const struct dump *dump, const struct verdict *verdict)
{
    json_line(json);
    json_begin(json, NULL, '{');
    json_text(json, "kind", verdict_names[verdict->kind]);
    json_count(json, "waiting", verdict->waiting);
    json_begin(json, "chain", '[');
    for (size_t i = 0; i < verdict->count; i++)
        json_number(json, NULL, dump->threads[verdict->chain[i]].tid);
    json_end(json, '[');
    json_end(json, '{');
}

static void put_head(struct json *json, const struct dump *dump)
{
    json_number(json, "schema", 1);
    json_line(json);
    json_number(json, "pid", dump->pid);
    json_text(json, "comm", dump->comm);
    json_text(json, "exe", dump->exe);
    json_line(json);
    json_number(json, "start_wall_ns", dump->wall);
    json_number(json, "duration_ns", dump->lasted);
    json_count(json, "thread_count", dump->count);
    json_count(json, "read_in_place", dump->in_place);
    json_count(json, "stopped", dump->held);
    json_number(json, "held_max_ns", dump->held_max);
    json_count(json, "repaired", dump->repaired);
    json_bool(json, "together", dump->together);
    json_bool(json, "executed", dump->executed);
    json_text(json, "kernel", kernel_names[dump->kernel]);
    json_text(json, "end", end_names[dump->end]);
}

void dump_json(struct buf *out, const struct dump *dump, const struct dump_style *style)
{
    struct json json = {.out = out};
    json_begin(&json, NULL, '{');
    put_head(&json, dump);
    json_line(&json);
    json_begin(&json, "verdicts", '[');
    for (size_t i = 0; i < dump->verdict_count; i++)
        put_verdict(&json, dump, &dump->verdicts[i]);
    json_end(&json, '[');
    json_line(&json);
    json_begin(&json, "threads", '[');
    for (size_t i = 0; i < dump->count; i++)
        if (dump_shows(&dump->threads[i], style))
            put_thread(&json, dump, i, style);
    json_end(&json, '[');
    json_end(&json, '{');
    buf_putc(out, '\n');
}
