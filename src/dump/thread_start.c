// SPDX-License-Identifier: MIT
#include "dump/thread_start.h"

#include <string.h>

#include "base/mem.h"

#define LIBRARY_FRAMES 2 // of the C library, at the root of a thread: clone3, start_thread
#define MAIN_MOST 6      // frames at the root of the main thread, up to main

static bool is_one_of(const char *name, const char *const *names, bool beginning)
{
    for (; *names; names++)
        if (beginning ? strncmp(name, *names, strlen(*names)) == 0 : strcmp(name, *names) == 0)
            return true;
    return false;
}

static const char *name_of(const struct dump_frame *frame)
{
    const struct symbol *symbol = frame->symbol;
    return symbol && symbol->found ? symbol->lines[symbol->line_count - 1].name : NULL;
}

// A C library without symbols has no names for its own part.
static bool is_of_library(const struct dump_frame *frame, const struct dump_frame *root)
{
    static const char *const names[] = {"clone3", "__clone3", "clone", "__clone", "__GI___clone",
                                        "__GI___clone3", "start_thread", "start",
                                        "runtime.clone.abi0", NULL};
    const char *name = name_of(frame);
    return frame->module == root->module && (!name || is_one_of(name, names, false));
}

static bool is_name_of_language(const char *name)
{
    static const char *const beginnings[] = {
        "execute_native_thread_routine", "std::thread::_State_impl<", "std::thread::_Invoker<",
        "std::__invoke", "std::sys::", "<std::sys::", "std::sys_common::", "std::thread::",
        "std::panic::", "std::panicking::", "<core::panic::unwind_safe::",
        "core::ops::function::FnOnce::call_once", "<alloc::boxed::Box<", NULL};
    return is_one_of(name, beginnings, true);
}

const struct symbol_line *thread_start_line(const struct dump_frame *frame)
{
    const struct symbol *symbol = frame->symbol;
    for (size_t i = symbol->line_count; i-- > 0;)
        if (!is_name_of_language(symbol->lines[i].name))
            return &symbol->lines[i];
    return &symbol->lines[symbol->line_count - 1];
}

// Says whether no function of the program is in the frame. libstdc++ has no name for its own.
static bool is_of_language(const struct dump_frame *frame)
{
    const struct symbol *symbol = frame->symbol;
    if (!symbol || !symbol->found)
        return frame->module && strncmp(frame->module->name, "libstdc++.so", 12) == 0;
    return is_name_of_language(thread_start_line(frame)->name);
}

static const struct dump_frame *main_frame(const struct dump_thread *thread)
{
    static const char *const names[] = {"main", "main.main", NULL};
    const struct dump_frame *root = &thread->frames[thread->frame_count - 1], *frame = root;
    for (size_t i = 0; i < thread->frame_count && i < MAIN_MOST; i++) {
        const char *name = name_of(root - i);
        if (name && is_one_of(name, names, false))
            return root - i;
    }
    // _start of the program, then the C library, then main; in a static program without symbols
    // nothing tells where main is.
    while (frame > thread->frames && (frame == root || frame->module != root->module))
        frame--;
    return frame->module == root->module && frame + 1 < root ? frame : root;
}

const struct dump_frame *thread_start_frame(const struct dump_thread *thread, bool main_thread)
{
    if (!thread->frame_count || thread->end != UNWIND_BOTTOM)
        return NULL;
    if (main_thread)
        return main_frame(thread);
    const struct dump_frame *root = &thread->frames[thread->frame_count - 1], *frame = root;
    for (size_t i = 0; i < LIBRARY_FRAMES && frame > thread->frames && is_of_library(frame, root);
         i++)
        frame--;
    while (frame > thread->frames && is_of_language(frame) && !dump_in_kernel(frame - 1))
        frame--;
    return frame;
}
