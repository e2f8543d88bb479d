// SPDX-License-Identifier: MIT
// The machine that ptprof and its targets run on. Its folder defines the same names for each
// machine:
//   MACHINE_NAME, _ELF, _AUDIT  its names for people, for ELF files and for filters of system calls
//   MACHINE_RELOCATION_*        relocations that fill the slots of a procedure linkage table
//   MACHINE_GLIBC_TID, MACHINE_MUSL_STATE
//                               where C libraries keep a thread's number and state, in bytes from
//                               the beginning of its descriptor
//   RED_ZONE                    bytes below the stack pointer that belong to the function
//   struct registers            those of a thread as ptrace reads them; registers_* interpret them
//   REGISTER_*, REGISTERS       numbers in DWARF and libunwind of those that unwinding restores
//   context_*                   of a system call that a filter has turned into a signal
#pragma once

#if defined __x86_64__
#include "process/x86_64/machine.h"
#else
#error "src/process has no folder for this machine"
#endif
