# SPDX-License-Identifier: MIT
# What single targets need beyond the default rule of tests.mk, and those with another's source.

CFLAGS_recursion        := -fno-optimize-sibling-calls
CFLAGS_deep_shallow     := -fno-optimize-sibling-calls
CFLAGS_no_frame_pointer := -fomit-frame-pointer
CFLAGS_plt              := -fno-builtin
LDLIBS_plt              := -Wl,-z,lazy
CFLAGS_waits            := -fno-optimize-sibling-calls
CFLAGS_contended        := -fno-optimize-sibling-calls
CFLAGS_bits32           := -m32 -ffreestanding -fno-pie -no-pie -nostdlib -static
CFLAGS_no_heap          := -ffreestanding -fno-pie -no-pie -nostdlib -static

TARGETS_DIR   := $(BUILD)/tests/targets
TARGETS_SPLIT := $(addprefix $(TARGETS_DIR)/,split_static split_static_pie split_stripped \
                   split_debug_frame split_frame_pointer)
TARGETS_EXTRA := $(TARGETS_SPLIT)

CFLAGS_split_static     := -static
CFLAGS_split_static_pie := -static-pie
CFLAGS_split_stripped   := -s
CFLAGS_split_debug_frame   := -fno-asynchronous-unwind-tables -fomit-frame-pointer -gz \
                              -Wl,--build-id
CFLAGS_split_frame_pointer := -fno-asynchronous-unwind-tables -fno-omit-frame-pointer -g0

$(TARGETS_SPLIT): $(TARGETS_DIR)/split_%: tests/targets/split.c tests/targets/target.h
	@mkdir -p $(@D)
	$(Q)$(CC) -D_GNU_SOURCE -O2 -g -pthread -fno-inline $(CFLAGS_split_$*) -o $@ $<

# The same locks in C++, and in musl, whose mutexes lie otherwise in memory. musl-gcc knows no
# headers of the kernel; they come after its own.
MUSL_FLAGS := -idirafter /usr/include -idirafter /usr/include/$(shell $(CC) -print-multiarch)
ifneq ($(shell command -v $(CXX)),)
TARGETS_CXX := $(addprefix $(TARGETS_DIR)/,std_locks std_contended)
endif
ifneq ($(shell command -v musl-gcc),)
TARGETS_MUSL := $(TARGETS_DIR)/locks_musl $(TARGETS_DIR)/locks_musl_static
TARGETS_EXTRA += $(TARGETS_DIR)/contended_musl
endif
# Objects of classes: as it is shipped, and as linkers place descriptions of types otherwise.
ifneq ($(shell command -v $(CXX)),)
TARGETS_CLASSES := $(addprefix $(TARGETS_DIR)/classes,_pie _stripped _static _static_stripped \
                     _no_pie _no_relro _one_segment _no_rtti)
endif
CFLAGS_classes_stripped        := -s
CFLAGS_classes_static          := -static
CFLAGS_classes_static_stripped := -static -s
CFLAGS_classes_no_pie          := -fno-pie -no-pie
CFLAGS_classes_no_relro        := -Wl,-z,norelro
CFLAGS_classes_one_segment     := -Wl,-z,noseparate-code
CFLAGS_classes_no_rtti         := -fno-rtti

$(TARGETS_CLASSES): tests/targets/classes.cc
	@mkdir -p $(@D)
	$(Q)$(CXX) -std=c++17 -D_GNU_SOURCE -O2 -g -Wall -Wextra $(CFLAGS_$(@F)) -o $@ $<

TARGETS_EXTRA += $(TARGETS_CLASSES) $(TARGETS_CXX) $(TARGETS_MUSL) $(TARGETS_DIR)/locks_static

$(TARGETS_DIR)/locks_static: tests/targets/locks.c tests/targets/target.h
	@mkdir -p $(@D)
	$(Q)$(CC) -D_GNU_SOURCE -O2 -g -pthread -fno-inline -static -o $@ $<

$(TARGETS_CXX): $(TARGETS_DIR)/%: tests/targets/%.cc
	@mkdir -p $(@D)
	$(Q)$(CXX) -D_GNU_SOURCE -O2 -g -pthread -o $@ $<

# A target that knows its blocks; it is C too. The dlsym of a static program always fails.
ifneq ($(shell command -v $(CXX)),)
TARGETS_EXTRA += $(addprefix $(TARGETS_DIR)/,blocks blocks_static)
endif
ifneq ($(shell command -v musl-gcc),)
TARGETS_EXTRA += $(addprefix $(TARGETS_DIR)/,blocks_musl blocks_musl_static)
endif

CFLAGS_blocks_static      := -static -Wl,--no-warnings
CFLAGS_blocks_musl_static := -static

$(addprefix $(TARGETS_DIR)/,blocks blocks_static): tests/targets/blocks.cc
	@mkdir -p $(@D)
	$(Q)$(CXX) -D_GNU_SOURCE -O2 -g -pthread $(CFLAGS_$(@F)) -o $@ $<

# The same with its allocator linked into the program, whose calls dlsym finds there.
TARGETS_ALLOCATOR := $(foreach name,jemalloc tcmalloc_minimal,\
    $(if $(wildcard /usr/lib/*/lib$(name).a),$(TARGETS_DIR)/blocks_$(name)))
TARGETS_EXTRA += $(TARGETS_ALLOCATOR)

$(TARGETS_ALLOCATOR): $(TARGETS_DIR)/blocks_%: tests/targets/blocks.cc
	@mkdir -p $(@D)
	$(Q)$(CXX) -D_GNU_SOURCE -O2 -g -pthread -rdynamic -o $@ $< -l:lib$*.a

$(addprefix $(TARGETS_DIR)/,blocks_musl blocks_musl_static): tests/targets/blocks.cc
	@mkdir -p $(@D)
	$(Q)musl-gcc -x c -D_GNU_SOURCE -O2 -g -pthread $(CFLAGS_$(@F)) -o $@ $<

CFLAGS_locks_musl_static := -static

$(TARGETS_MUSL): tests/targets/locks.c tests/targets/target.h
	@mkdir -p $(@D)
	$(Q)musl-gcc -D_GNU_SOURCE -O2 -g -pthread -fno-inline $(MUSL_FLAGS) $(CFLAGS_$(@F)) -o $@ $<

$(TARGETS_DIR)/contended_musl: tests/targets/contended.c tests/targets/meter.h \
                               tests/targets/target.h
	@mkdir -p $(@D)
	$(Q)musl-gcc -D_GNU_SOURCE -O2 -g -pthread -fno-inline $(CFLAGS_contended) $(MUSL_FLAGS) \
	    -o $@ $<

# Libraries for `plugin`: the same code under two names, so that the wrong file gives wrong names.
TARGETS_EXTRA += $(addprefix $(TARGETS_DIR)/,libplugin_old.so libplugin_new.so)
$(TARGETS_DIR)/libplugin_%.so: tests/targets/libplugin.c tests/targets/target.h
	@mkdir -p $(@D)
	$(Q)$(CC) -D_GNU_SOURCE -DWORKER=works_in_the_$*_one -O2 -g -fPIC -shared -Wl,--build-id \
	    -o $@ $<

# What `many_modules` loads, copied as often as a test wants it.
TARGETS_EXTRA += $(TARGETS_DIR)/libmany.so
$(TARGETS_DIR)/libmany.so: tests/targets/many_modules.c tests/targets/target.h
	@mkdir -p $(@D)
	$(Q)$(CC) -D_GNU_SOURCE -DLIBRARY -O2 -g -fPIC -shared -Wl,--build-id -o $@ $<

# Another one, as it is linked and as it is shipped.
TARGETS_EXTRA += $(addprefix $(TARGETS_DIR)/,libsizeless.so libsizeless_stripped.so)
$(TARGETS_DIR)/libsizeless.so: tests/targets/libsizeless.c tests/targets/target.h
	@mkdir -p $(@D)
	$(Q)$(CC) -D_GNU_SOURCE -O2 -fPIC -shared -fno-toplevel-reorder -o $@ $<
$(TARGETS_DIR)/libsizeless_stripped.so: $(TARGETS_DIR)/libsizeless.so
	$(Q)strip -o $@ $<

# Two libraries for `swaps`: the same code at the same place, so that only maps tell them apart.
TARGETS_EXTRA += $(addprefix $(TARGETS_DIR)/,libswap_one.so libswap_two.so)
$(TARGETS_DIR)/libswap_%.so: tests/targets/libswap.c
	@mkdir -p $(@D)
	$(Q)$(CC) -DWORKER=swap_in_$* -O2 -g -fPIC -shared -Wl,--build-id -o $@ $<

TARGETS_EXTRA += $(addprefix $(TARGETS_DIR)/,reborn_first reborn_second)
CFLAGS_reborn_first := -DFIRST
$(addprefix $(TARGETS_DIR)/,reborn_first reborn_second): tests/targets/reborn.c \
                                                         tests/targets/target.h
	@mkdir -p $(@D)
	$(Q)$(CC) -D_GNU_SOURCE -O2 -g -fno-inline -fno-toplevel-reorder -no-pie \
	    $(CFLAGS_$(@F)) -o $@ $<
