// SPDX-License-Identifier: MIT
// The functions that the files of the dumper share.
#pragma once

#include "dump/dumper_state.h"

// Keeps what a census reported of a thread.
void dumper_see(struct dumper *dumper, const struct census_record *record);
bool dumper_has_stack(const struct census_record *record);

// Notes that a thread could not be read, so that no other census tries it.
void dumper_give_up(struct dumper *dumper, pid_t tid);

bool dumper_has_ended(const struct dumper *dumper);

// Returns the path of the program, NULL: not known. The caller frees it.
char *dumper_exe(const struct dumper *dumper);

// Notes which program runs, before anything is read of it: its maps read as empty once another one
// has replaced it.
void dumper_note_image(struct dumper *dumper);

// Returns whether the process has executed another program, which must not name the stacks of this
// one.
bool dumper_has_executed(const struct dumper *dumper);

// Forgets the stack of the main thread if the process has ended, and that thread has another name
// than before. Whether a process that has ended executed another program before cannot be found out
// any more; the main thread is all that an exec leaves, and it has another name then.
void dumper_forget_other_program(struct dumper *dumper);

// --- dumper_name.c

struct dumper_names *dumper_names_new(struct symbolizer *symbolizer);
void dumper_names_free(struct dumper_names *names);

// Has the name of a place in the code fetched later, because it will be looked up.
void dumper_names_want(struct dumper_names *names, uint32_t mapping, uint64_t offset);

// Has names fetched while the census goes on.
void dumper_names_go_on(struct dumper_names *names);

// Looks up the symbols for the frames of all threads.
void dumper_name(struct dumper *dumper);

// Reads the maps of the process again; those of a leader that has ended are empty.
void dumper_refresh(struct dumper *dumper, pid_t tid);

// Waits until threads that a stop woke are blocked again: if they run after that, they have moved.
void dumper_quiesce(struct dumper *dumper);

// Adds frames of the kernel before those of blocked threads. It comes after everything that reads
// the latter.
void dumper_add_kernel(struct dumper *dumper, struct dump *dump);

// Returns whether the thread has run since it was read, or is gone.
bool dumper_has_moved(const struct dumper *dumper, const struct seen *seen);

// Finds out why the threads of the dump wait, and for which thread.
void dumper_find_waits(struct dumper *dumper, struct dump *dump);
