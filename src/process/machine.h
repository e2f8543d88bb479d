// SPDX-License-Identifier: MIT
// The machine that ptprof and its targets run on. Its folder says, by the same names for each:
//   MACHINE_NAME, _ELF, _AUDIT  what people, ELF files and filters of system calls call it
//   MACHINE_RELOCATION_*        relocations that fill the slots of a procedure linkage table
//   MACHINE_GLIBC_TID, MACHINE_MUSL_STATE
//                               where C libraries keep a thread's number and state, by bytes
//                               behind the beginning of its descriptor
//   RED_ZONE                    bytes below the stack pointer that belong to the function
//   struct registers            of a thread, as ptrace gives them; registers_* what they mean
//   REGISTER_*, REGISTERS       DWARF's and libunwind's numbers of those that unwinding restores
//   context_*                   of a system call that a filter has turned into a signal
#pragma once

#if defined __x86_64__
#include "process/x86_64/machine.h"
#else
#error "src/process has no folder for this machine"
#endif
