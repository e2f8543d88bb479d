# SPDX-License-Identifier: MIT
# What single targets need beyond the default rule of tests.mk, and those with another's source.

CFLAGS_recursion        := -fno-optimize-sibling-calls
CFLAGS_no_frame_pointer := -fomit-frame-pointer
CFLAGS_plt              := -fno-builtin
LDLIBS_plt              := -Wl,-z,lazy
CFLAGS_bits32           := -m32 -ffreestanding -fno-pie -no-pie -nostdlib -static

TARGETS_DIR   := $(BUILD)/tests/targets
TARGETS_EXTRA := $(addprefix $(TARGETS_DIR)/,split_static split_static_pie split_stripped)

CFLAGS_split_static     := -static
CFLAGS_split_static_pie := -static-pie
CFLAGS_split_stripped   := -s

$(TARGETS_EXTRA): $(TARGETS_DIR)/split_%: tests/targets/split.c tests/targets/target.h
	@mkdir -p $(@D)
	$(Q)$(CC) -D_GNU_SOURCE -O2 -g -pthread -fno-inline $(CFLAGS_split_$*) -o $@ $<

# The same locks in C++, and in musl, whose mutexes lie otherwise in memory. musl-gcc knows no
# headers of the kernel; they come after its own.
MUSL_FLAGS := -idirafter /usr/include -idirafter /usr/include/$(shell $(CC) -print-multiarch)
ifneq ($(shell command -v $(CXX)),)
TARGETS_CXX := $(TARGETS_DIR)/std_locks
endif
ifneq ($(shell command -v musl-gcc),)
TARGETS_MUSL := $(TARGETS_DIR)/locks_musl $(TARGETS_DIR)/locks_musl_static
endif
TARGETS_EXTRA += $(TARGETS_CXX) $(TARGETS_MUSL) $(TARGETS_DIR)/locks_static

$(TARGETS_DIR)/locks_static: tests/targets/locks.c tests/targets/target.h
	@mkdir -p $(@D)
	$(Q)$(CC) -D_GNU_SOURCE -O2 -g -pthread -fno-inline -static -o $@ $<

$(TARGETS_CXX): tests/targets/std_locks.cc
	@mkdir -p $(@D)
	$(Q)$(CXX) -D_GNU_SOURCE -O2 -g -pthread -o $@ $<

CFLAGS_locks_musl_static := -static

$(TARGETS_MUSL): tests/targets/locks.c tests/targets/target.h
	@mkdir -p $(@D)
	$(Q)musl-gcc -D_GNU_SOURCE -O2 -g -pthread -fno-inline $(MUSL_FLAGS) $(CFLAGS_$(@F)) -o $@ $<
