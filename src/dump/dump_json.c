// SPDX-License-Identifier: MIT
// The keys are described in ptprof(1), DUMP-THREADS.
#include <inttypes.h>

#include "base/escape.h"
#include "base/mem.h"
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

static void put_bool(struct buf *out, const char *key, bool value)
{
    buf_printf(out, "\"%s\":%s", key, value ? "true" : "false");
}

static void put_line(struct buf *out, const struct dump_frame *frame, size_t line)
{
    const struct symbol *symbol = frame->symbol;
    const struct symbol_line *source = &symbol->lines[line];
    bool last = line + 1 == symbol->line_count;
    char build_id[2 * BUILD_ID_MAX + 1] = "";
    if (frame->module && frame->module->image)
        image_build_id_hex(frame->module->image, build_id);
    buf_putc(out, '{');
    if (symbol->found || symbol->placed || !last)
        json_function(out, source->name, symbol->placed && last);
    else
        escape_json_member(out, "function", "");
    buf_printf(out, ",\"function_offset\":%" PRIu64 ",",
               (symbol->found || symbol->placed) && last ? symbol->offset + !frame->interrupted
                                                         : 0);
    put_bool(out, "inlined", !last);
    buf_putc(out, ',');
    escape_json_member(out, "module", frame->module ? frame->module->path : "");
    buf_printf(out, ",\"module_offset\":%" PRIu64 ",",
               dump_in_kernel(frame) ? 0 : frame->offset + !frame->interrupted);
    escape_json_member(out, "build_id", build_id);
    buf_printf(out, ",\"pc\":%" PRIu64 ",\"sp\":%" PRIu64 ",", frame->pc, frame->sp);
    escape_json_member(out, "file", source->file);
    buf_printf(out, ",\"line\":%" PRIu32 "}", source->line);
}

static void put_frames(struct buf *out, const struct dump_thread *thread,
                       const struct dump_style *style)
{
    size_t shown = dump_depth(thread, style);
    const char *separator = "\n";
    buf_puts(out, "\"frames\":[");
    for (size_t i = 0; i < shown; i++) {
        for (size_t k = 0; k < thread->frames[i].symbol->line_count; k++) {
            buf_puts(out, separator);
            separator = ",\n";
            put_line(out, &thread->frames[i], k);
        }
    }
    buf_printf(out, "],\"frame_count\":%zu,", thread->frame_count);
    escape_json_member(out, "end", thread->frame_count ? unwind_names[thread->end] : "");
}

static void put_wait(struct buf *out, const struct dump *dump, const struct wait *wait)
{
    bool known = wait->owner != WAIT_NOBODY && wait->owner < dump->count;
    pid_t owner = known ? dump->threads[wait->owner].tid : wait->owner_tid;
    buf_puts(out, "\"wait\":{");
    escape_json_member(out, "kind", wait_kind_names[wait->kind]);
    buf_putc(out, ',');
    escape_json_member(out, "text", wait->text);
    buf_putc(out, ',');
    escape_json_member(out, "syscall", wait->syscall);
    buf_printf(out, ",\"object\":%" PRIu64 ",", wait->object);
    escape_json_member(out, "object_name", wait->object_name);
    buf_putc(out, ',');
    escape_json_member(out, "object_kind", wait->object_kind);
    buf_printf(out, ",\"owner_tid\":%d,", (int)owner);
    put_bool(out, "probable", wait->probable);
    buf_putc(out, ',');
    put_bool(out, "timed", wait->timed);
    buf_putc(out, '}');
}

static void put_thread(struct buf *out, const struct dump *dump, size_t index,
                       const struct dump_style *style)
{
    const struct dump_thread *thread = &dump->threads[index];
    buf_printf(out, "{\"tid\":%d,", (int)thread->tid);
    escape_json_member(out, "comm", thread->comm);
    buf_printf(out, ",\"state\":\"%c\",", thread->state);
    put_bool(out, "running", thread->running);
    buf_putc(out, ',');
    put_bool(out, "queued", thread->queued);
    buf_putc(out, ',');
    put_bool(out, "stopped_by_us", thread->held);
    buf_putc(out, ',');
    put_bool(out, "changed", thread->changed);
    buf_putc(out, ',');
    escape_json_member(out, "problem", problem_names[thread->problem]);
    buf_printf(out,
               ",\"cpu_ns\":%" PRIu64 ",\"queued_ns\":%" PRIu64 ",\"blocked_ns\":%" PRId64 ",\n",
               thread->cpu_ns, thread->queued_ns, thread->blocked_ns);
    put_wait(out, dump, &dump->waits[index]);
    buf_puts(out, ",\n");
    put_frames(out, thread, style);
    buf_putc(out, '}');
}

static void put_verdicts(struct buf *out, const struct dump *dump)
{
    buf_puts(out, "\"verdicts\":[");
    for (size_t i = 0; i < dump->verdict_count; i++) {
        const struct verdict *verdict = &dump->verdicts[i];
        buf_puts(out, i ? ",\n{" : "\n{");
        escape_json_member(out, "kind", verdict_names[verdict->kind]);
        buf_printf(out, ",\"waiting\":%zu,\"chain\":[", verdict->waiting);
        for (size_t k = 0; k < verdict->count; k++)
            buf_printf(out, "%s%d", k ? "," : "", (int)dump->threads[verdict->chain[k]].tid);
        buf_puts(out, "]}");
    }
    buf_puts(out, "]");
}

void dump_json(struct buf *out, const struct dump *dump, const struct dump_style *style)
{
    const char *separator = "\n";
    buf_printf(out, "{\"schema\":1,\n\"pid\":%d,", (int)dump->pid);
    escape_json_member(out, "comm", dump->comm);
    buf_putc(out, ',');
    escape_json_member(out, "exe", dump->exe);
    buf_printf(out,
               ",\n\"start_wall_ns\":%" PRId64 ",\"duration_ns\":%" PRId64 ",\"thread_count\":%zu,"
               "\"read_in_place\":%zu,\"stopped\":%zu,\"held_max_ns\":%" PRId64
               ",\"repaired\":%" PRIu64 ",",
               dump->wall, dump->lasted, dump->count, dump->in_place, dump->held, dump->held_max,
               dump->repaired);
    put_bool(out, "together", dump->together);
    buf_putc(out, ',');
    put_bool(out, "executed", dump->executed);
    buf_putc(out, ',');
    escape_json_member(out, "kernel", kernel_names[dump->kernel]);
    buf_putc(out, ',');
    escape_json_member(out, "end", end_names[dump->end]);
    buf_puts(out, ",\n");
    put_verdicts(out, dump);
    buf_puts(out, ",\n\"threads\":[");
    for (size_t i = 0; i < dump->count; i++) {
        if (!dump_shows(&dump->threads[i], style))
            continue;
        buf_puts(out, separator);
        separator = ",\n";
        put_thread(out, dump, i, style);
    }
    buf_puts(out, "]}\n");
}
