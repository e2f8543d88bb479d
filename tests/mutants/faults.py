# SPDX-License-Identifier: MIT
"""Faults that a test must notice: (what is wrong, file, text of it, text in its place, test).

The old text stands exactly once in the file. The test is a word for tests/run.py, as narrow as can
be: one suite of the unit tests, or one live test.
"""

WEIGHTS = "src/collect/weights.c"
WALL = "src/collect/wall.c"
STORE = "src/profile/store.c"
SLICES = "src/profile/slices.c"
TRANSFER = "src/profile/plain_transfer.c"
STEP = "src/unwind/step.c"
STACK = "src/unwind/stack_copy.c"
CFI = "src/unwind/cfi.c"
MEMO = "src/unwind/memo.c"
ESCAPE = "src/base/escape.c"
PROCFS = "src/process/procfs.c"
REGULAR = "src/process/regular_file.c"
JIT = "src/process/jit.c"
SANDBOX = "src/reader/sandbox.c"
WALKER = "src/unwind/walker.c"
WIRE = "src/symbol/wire.c"
DEBUG_FILE = "src/symbol/reader/debug_file.c"
DEADLOCK = "src/wait/deadlock.c"
OUTPUT_FILE = "src/commands/output_file.c"
HINT = "src/collect/stack_hint.c"
GAUGES = "src/monitor/gauges.c"
TRACER = "src/sample/tracer.c"
STOPS = "src/sample/stops.c"
SAMPLER = "src/sample/sampler.c"
RESTART = "src/sample/restart.c"
RING = "src/sample/ring.c"
COUNTERS = "src/sample/counters.c"

FAULTS = [
    # What is done to the target.
    ("a stop's signal is lost with its tracer", TRACER,
     "WEXITED | WNOWAIT |", "WEXITED |", "unit/tracer"),
    ("a thread is not detached from", TRACER,
     "return ptrace(PTRACE_DETACH, hold->tid, 0, hold->signal) == 0;", "return hold->tid != 0;",
     "unit/tracer"),
    ("a signal is not handed on", TRACER,
     "PTRACE_DETACH, hold->tid, 0, hold->signal)", "PTRACE_DETACH, hold->tid, 0, 0)",
     "unit/tracer"),
    ("a thread that nobody waits for any more stays held", STOPS,
     "            hold_undo(&hold->stop, stops->control, stops->filtered);\n",
     "            break;\n", "unit/stops"),
    ("threads that are held together are let go one by one", STOPS,
     "(stops->keeps ? await_each : await_any)(", "await_any(", "unit/stops"),
    ("the watchdog does not hear who was asked to stop", STOPS,
     "    hold_sign_of_life(stops->life, stop->tid);\n", "", "unit/stops"),
    ("a broken call is not repaired", RESTART,
     "    tracer_set_result(hold, RESULT_RESTARTNOHAND);\n", "", "live/harmless/epoll_server"),
    ("epoll_wait is not known to break", RESTART,
     "SYS_epoll_wait,   ", "", "live/harmless/blocking_calls"),
    ("a thread is held until the memory of its process can be read", "src/sample/look.c",
     "    memory_await(thread->tid);\n", "", "live/harmless/memory_that_is_locked"),
    ("a turn is seen at its end only", "src/sample/displaced.c",
     "    return search->waited && claim->contended;\n", "    return false;\n",
     "short_turns_owed_without_realtime"),
    ("a call that a filter forbids is restarted by it", RESTART,
     "(!fails && !dangerous)", "!fails", "live/harmless/seccomp_without_restart"),
    ("the sampler may leave a core", SAMPLER,
     "    setrlimit(RLIMIT_CORE, &none);\n", "    (void)none;\n", "unit/sampler"),
    ("the sampler is dumpable", SAMPLER,
     "    prctl(PR_SET_DUMPABLE, 0);\n", "", "unit/sampler"),
    ("a sampler that hangs is not killed", SAMPLER,
     "        if (waited >= STOP_NS)\n            kill(child, SIGKILL);\n", "", "unit/sampler"),
    ("the ring overwrites what was not read", RING,
     " || skipped + round_up(length) > free_bytes)", ")", "unit/ring"),
    ("the ring's padding is not skipped", RING,
     "record_at(ring, reserved + skipped);", "record_at(ring, reserved);", "unit/ring"),
    ("a record that is not complete is taken", RING,
     "return atomic_load_explicit(&record->kind, memory_order_acquire) ? record : NULL;",
     "return record;", "unit/ring"),
    ("what was taken is not wiped", RING,
     "    memset(record_at(ring, consumed), 0, first);\n", "", "unit/ring"),

    # Whom and what is believed.
    ("a setuid copy runs", "src/main.c",
     "if (getuid() == geteuid() && getgid() == getegid())", "if (getuid() == getuid())",
     "live/privilege/setuid"),
    ("a setgid copy runs", "src/main.c",
     "if (getuid() == geteuid() && getgid() == getegid())", "if (getuid() == geteuid())",
     "live/privilege/setgid"),
    ("another user's perf map is believed", JIT,
     "is_of_user(&look->info, &status) && ", "", "live/jit/files_not_to_be_believed"),
    ("an earlier process's perf map is believed", JIT,
     " && is_of_process(&look->info, look->pid))", ")", "live/jit/files_not_to_be_believed"),
    ("a FIFO is opened and read", REGULAR,
     "if (!S_ISREG(info->st_mode)) {", "if (false) {", "unit/regular_file"),
    ("a link leads out of the target's root", REGULAR,
     "RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS", "0", "unit/regular_file"),
    ("a debug file of another build is used", DEBUG_FILE,
     'return "another build id";', "return NULL;", "live/symbols/other_build_is_refused"),
    ("a debug link leads out of its directory", DEBUG_FILE,
     "name[0] != '.' && !strchr(name, '/') && ", "", "live/symbols/debug_link_out"),
    ("the symbol process keeps its capabilities", SANDBOX,
     "syscall(SYS_capset, &header, none) == 0 &&", "header.version && none->effective == 0 &&",
     "live/symbols/symbol_process_of_an_able_user"),
    ("the symbol process stays root", SANDBOX,
     "return geteuid() != 0 || (", "return getpid() > 0 || (",
     "live/symbols/symbol_process_has_no_privileges"),
    ("readers share memory with the sampler", SANDBOX,
     "mode[3] == 's'", "mode[3] == 'S'",
     "live/readers/no_memory_of_the_sampler"),
    ("a stack of the unwinding process may be deeper than any", WALKER,
     "stack.count > walker->max_depth || stack.count > room ||", "", "unit/walker"),
    ("how many stacks were unwound is believed", WALKER,
     "return message.count <= asked ? message.count : 0;", "return message.count;", "unit/walker"),
    ("a stack is taken for the one that lay there before", WALKER,
     "    walker->ahead[at] = NULL; // another capture may get the same address later\n", "",
     "unit/walker"),
    ("a message of the symbol process may be longer than it is", WIRE,
     "record.length > left || ", "", "unit/wire"),
    ("a message goes on after its end", WIRE,
     " || reader->want || reader->done)", ")", "unit/wire"),
    ("a profile is visible before it is durable", OUTPUT_FILE,
     "bool stored = fsync(fileno(file->stream)) == 0 && name_it(file);",
     "bool stored = name_it(file);", "unit/output_file"),
    ("what could not be written replaces a file", OUTPUT_FILE,
     "fclose(stream) == 0 && stored ?", "fclose(stream) == 0 ?", "unit/output_file"),
    ("the unfinished file stays", OUTPUT_FILE,
     "        unlink(file->temporary);\n        unfinished = NULL;\n",
     "        unfinished = NULL;\n", "unit/output_file"),
    ("a link is written through", OUTPUT_FILE,
     "if (S_ISLNK(info.st_mode) && !force)", "if (false && !force)", "live/bad_input/symlink"),
    ("a device is replaced", OUTPUT_FILE,
     "if (!S_ISREG(info.st_mode) && !S_ISLNK(info.st_mode))", "if (false)",
     "live/bad_input/directory_is_missing live/bad_input/force unit/output_file"),

    # Weights and values.
    ("what does not divide is lost", WEIGHTS,
     "part * times + more);", "part * times);", "unit/weights"),
    ("time without samples is lost", WEIGHTS,
     "thread->waiting_ns += cpu_ns;", "thread->waiting_ns = cpu_ns;", "unit/weights"),
    ("the last period of a thread is lost", WEIGHTS,
     "        share_out(profile, &thread->previous, thread->waiting_ns);\n", "        ;\n",
     "unit/weights"),
    ("what no thread took is lost", WEIGHTS,
     "process->leftover_ns += thread->waiting_ns;", "process->leftover_ns += 0;", "unit/weights"),
    ("time of the process is shared twice", WEIGHTS,
     "process->handled_ns = process->unknown_ns;", "process->handled_ns = 0;", "unit/weights"),
    ("a sample does not count", WEIGHTS,
     "profile_add(profile, value, 1, 0);", "profile_add(profile, value, 0, 0);", "unit/weights"),
    ("a list keeps old numbers", WEIGHTS,
     "    renumber(&thread->previous, values);\n", "", "unit/weights"),
    ("wall time: what does not divide is given to all", WALL,
     "        rest = 0;\n", "", "unit/wall"),
    ("wall time: queued time is blocked time", WALL,
     "(period.elapsed - period.running - period.queued)", "(period.elapsed - period.running)",
     "unit/wall"),
    ("wall time: a sleeper that did not move is not met again", WALL,
     "add_look(wall, wall->asleep, STATE_BLOCKED, times);",
     "add_look(wall, wall->asleep, STATE_BLOCKED, times ? 1 : 0);", "unit/wall"),
    ("two offsets with one key are one location", STORE,
     "if (known.mapping == mapping && known.offset == offset)",
     "if (location_key(known.mapping, known.offset) == key)", "unit/store"),
    ("a stack is kept from its leaf up", STORE,
     "for (size_t i = count; i-- > 0;) {", "for (size_t i = 0; i < count; i++) {", "unit/store"),
    ("what is folded away is not counted", STORE,
     "            profile->folded++;\n            break;", "            break;", "unit/store"),
    ("a slice is complete a second late", SLICES,
     "(now - slices->ends) / NS_PER_S + 1", "(now - slices->ends) / NS_PER_S", "unit/slices"),

    ("mappings of any size are the same", TRANSFER,
     "(mapping->limit - mapping->start + PAGE - 1) / PAGE", "0", "unit/merge"),
    ("labels in another order are other labels", TRANSFER,
     "        qsort(labels, count, sizeof *labels, compare_numbers);\n", "        (void)count;\n",
     "unit/merge"),
    ("samples of which nothing is left stay", "src/profile/plain_merge.c",
     "if (!has_empty(profile))", "if (has_empty(profile))", "unit/merge"),
    ("only leaves are looked at", "src/profile/plain_filter.c",
     "found[nodes[i].parent] || ", "", "unit/merge"),
    ("who ended an event later is told", "src/profile/timeline.c",
     "        event->woken_by = TIMELINE_NONE;\n", "", "unit/timeline"),
    ("a heap profile shows what was allocated", "src/profile/types.c",
     '{"heap", 4, 3,', '{"heap", 4, 1,', "unit/pprof_parse"),

    # Stacks.
    ("a caller is asked about behind its call", STEP,
     "return *walk_pc(unwinder) - !attempt->leaf;", "return *walk_pc(unwinder);",
     "unit/cfi"),
    ("a return address is popped but not its place", "src/unwind/x86_64/leaf.c",
     "    *walk_pc(unwinder) = back;\n    *walk_sp(unwinder) += WORD;\n    return true;",
     "    *walk_pc(unwinder) = back;\n    return true;", "unit/unwinder"),
    ("a chain of frame pointers may go down", STEP,
     "frame < *walk_sp(unwinder) || ", "", "unit/cfi"),
    ("the last word of a copy is taken for missing", STACK,
     "length - at < sizeof *word)", "length - at <= sizeof *word)", "unit/cfi"),
    ("a word is read behind the copy", STACK,
     " || length - at < sizeof *word)", ")", "unit/unwinder"),
    ("a copy that was cut is taken for a whole one", STACK,
     "bool near = address - capture_sp(capture) < REACH;", "bool near = false;", "unit/unwinder"),
    ("a column of tables may be any number", CFI,
     "bytes->bad |= take_leb128(bytes) >= REGISTERS;", "take_leb128(bytes);", "unit/cfi"),
    ("an expression may jump", CFI,
     "    [0x06] = \"\",            // deref\n",
     "    [0x06] = \"\",            // deref\n    [0x2f] = \"2\",\n", "unit/cfi"),
    ("states are remembered without a bound", CFI,
     "++depth > REMEMBER_MAX", "++depth > UINT32_MAX - 1", "unit/cfi"),
    ("another stack is taken for one that was walked", MEMO,
     "value == wanted;", "(value || wanted);", "unit/memo"),
    ("a walk's frames keep the first stack's addresses", MEMO,
     "frames[i].sp += capture_sp(capture) - walk->sp;", "frames[i].sp += 0;", "unit/memo"),
    ("a stack that was cut asks for no more", HINT,
     "wanted = STACK_MAX; // as much as possible", "wanted = before;", "unit/stack_hint"),

    # What is printed.
    ("control characters of C1 reach a terminal", ESCAPE,
     "(code >= 0x7f && code < 0xa0)", "code == 0x7f", "unit/base"),
    ("text that turns the line round reaches a terminal", ESCAPE,
     "{0x2028, 0x202e},", "{0x2028, 0x2029},", "unit/base"),
    ("overlong UTF-8 is accepted", ESCAPE,
     "code < least[n] || ", "", "unit/base"),
    ("a name of a collapsed stack has two frames", ESCAPE,
     "escape_with(out, text, NULL, ';', ':');", "escape_with(out, text, NULL, ':', ':');",
     "unit/base"),
    ("markup in JSON is as it was", ESCAPE,
     " || code == '<')", ")", "unit/base"),
    ("a name with a parenthesis ends early", PROCFS,
     "*close = strrchr(text, ')')", "*close = strchr(text, ')')", "unit/procfs"),
    ("a circle of locks that may time out is a certain deadlock", DEADLOCK,
     "!wait->probable && !wait->timed", "!wait->probable", "unit/deadlock"),
    ("the chain with most waiters is not preferred", DEADLOCK,
     "waiting[graph->root[i]] > waiting[graph->root[best]]", "false", "unit/deadlock"),
    ("a circle begins wherever the walk came in", DEADLOCK,
     "first = at < first ? at : first;", "", "unit/deadlock"),
    ("a reset sets states to zero", COUNTERS,
     "if (counters[i].kind == KIND_SUM)", "if (counters[i].key)", "unit/counters"),
    ("overhead is of the first second", GAUGES,
     "(gauges->count - 1 - back) % READINGS_KEPT", "back % READINGS_KEPT", "unit/gauges"),
]
