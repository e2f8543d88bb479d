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
