# SPDX-License-Identifier: MIT
# Test programs: the Check suite, the targets, helpers of the live tests, fuzzers.

UNIT_SOURCES := $(sort $(wildcard tests/unit/*.c))
UNIT_OBJECTS := $(UNIT_SOURCES:%.c=$(BUILD)/%.o)
LIVE_PROGRAMS := $(patsubst tests/live/%.c,$(BUILD)/tests/live/%,$(wildcard tests/live/*.c))
BENCH_PROGRAMS := $(patsubst tests/bench/%.c,$(BUILD)/tests/bench/%,$(wildcard tests/bench/*.c))

.PHONY: live-programs
live-programs: $(LIVE_PROGRAMS)

-include tests/targets/targets.mk
test-programs: $(BUILD)/tests/unit-tests $(TARGETS) $(TARGETS_EXTRA) $(LIVE_PROGRAMS) \
               $(BENCH_PROGRAMS) fuzz-programs

$(BUILD)/tests/unit-tests: $(UNIT_OBJECTS) $(filter-out $(BUILD)/src/main.o,$(OBJECTS_TOOL)) \
                           $(BUILD)/libptprof.a
	$(Q)$(CC) $(SANITIZE) -o $@ $^ $$(pkg-config --libs check) $(LDLIBS) $(LDLIBS_TOOL)

$(BUILD)/tests/live/timeline: $(BUILD)/tests/unit/fixture_timeline.o \
                              $(BUILD)/tests/unit/fixture_odd_timeline.o
$(BUILD)/tests/live/%: $(BUILD)/tests/live/%.o $(BUILD)/libptprof.a
	$(Q)$(CC) $(SANITIZE) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LDLIBS)

$(BUILD)/tests/targets/%: tests/targets/%.c $(wildcard tests/targets/*.h)
	@mkdir -p $(@D)
	$(Q)$(CC) -D_GNU_SOURCE -O2 -g -pthread -fno-inline $(CFLAGS_$*) -o $@ $< $(LDLIBS_$*)

$(BUILD)/tests/bench/%: tests/bench/%.c tests/targets/target.h
	@mkdir -p $(@D)
	$(Q)$(CC) -D_GNU_SOURCE $(WARNINGS) -Itests/targets -O2 -g -pthread -o $@ $<

-include $(UNIT_OBJECTS:.o=.d) $(LIVE_PROGRAMS:%=%.d)

# tests/unit/main.c runs one suite for each test_NAME.c.
UNIT_SUITES := $(patsubst tests/unit/test_%.c,SUITE(%),$(sort $(wildcard tests/unit/test_*.c)))
# A test that no suite runs is an unused variable.
$(UNIT_OBJECTS): CFLAGS_ALL += -Wno-missing-prototypes -Werror=unused-variable
$(BUILD)/tests/unit/main.o: CPPFLAGS_ALL += -D'SUITES=$(UNIT_SUITES)'
$(BUILD)/tests/unit/main.o: $(wildcard tests/unit/test_*.c)

# Fuzzing: parsers of what is the target's, all built anew with the sanitizers of gcc.
FUZZ_DIR      := $(BUILD)/fuzz
FUZZ_PROGRAMS := $(patsubst tests/fuzz/%.c,$(FUZZ_DIR)/%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_SOURCES  := $(wildcard $(foreach room,base process reader unwind unwind/$(ARCH) unwind/reader \
                   symbol symbol/reader wait profile rows output heap,src/$(room)/*.c)) \
                 src/sample/counters.c src/commands/option.c src/commands/option_value.c \
                 src/commands/attach_options.c \
                 src/commands/yaml_file.c \
                 $(addprefix src/serve/front/,accept.c auth.c guard.c host.c) \
                 tests/fuzz/driver.c
FUZZ_OBJECTS  := $(FUZZ_SOURCES:%.c=$(FUZZ_DIR)/%.o) $(GENERATED:.c=.o)
FUZZ_FLAGS    := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all

.PHONY: fuzz-programs
fuzz-programs: $(FUZZ_PROGRAMS)

# About a minute.
FUZZ_RUNS ?= 500000
fuzz: fuzz-programs
	$(Q)for program in $(FUZZ_PROGRAMS); do \
	    FUZZ_RUNS=$(FUZZ_RUNS) $$program || exit 1; done

# Which lines of the files that each program is for its inputs reach; with gcov, a build of its own.
.PHONY: fuzz-coverage
fuzz-coverage:
	$(Q)$(MAKE) --no-print-directory FUZZ_DIR=$(BUILD)/fuzz-coverage \
	    FUZZ_FLAGS="$(FUZZ_FLAGS) --coverage" fuzz-programs
	$(Q)python3 tests/fuzz/coverage.py $(BUILD)/fuzz-coverage $(FUZZ_RUNS)

$(FUZZ_DIR)/%.o: %.c Makefile | $(HEADERS_GENERATED)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS_ALL) -std=gnu11 $(WARNINGS) $(FUZZ_FLAGS) -MMD -MP -c -o $@ $<

$(FUZZ_DIR)/src/output/flame_files.o: $(FLAME_FILES)

$(FUZZ_PROGRAMS): $(FUZZ_DIR)/%: $(FUZZ_DIR)/tests/fuzz/%.o $(FUZZ_OBJECTS)
	$(Q)$(CC) $(FUZZ_FLAGS) -o $@ $^ $(LDLIBS)

# Files with DWARF for fuzz_dwarf to begin with: one source in several forms.
FUZZ_SEEDS := $(addprefix $(FUZZ_DIR)/seeds/,dwarf5 dwarf4 dwarf2 zlib zstd split mini)
SEED_dwarf5 := -gdwarf-5
SEED_dwarf4 := -gdwarf-4
SEED_dwarf2 := -gdwarf-2
SEED_zlib   := -gdwarf-5 -gz=zlib
SEED_zstd   := -gdwarf-5
SEED_split  := -gdwarf-5 -gsplit-dwarf
SEED_mini   := -g0

fuzz-programs: $(FUZZ_SEEDS)
$(FUZZ_SEEDS): $(FUZZ_DIR)/seeds/%: tests/fuzz/seeds/inlined.c
	@mkdir -p $(@D)
	$(Q)$(CC) -O2 -fPIC -shared -nostdlib -Wl,--build-id $(SEED_$*) -o $@ $<
	$(Q)if [ $* = zstd ]; then objcopy --compress-debug-sections=zstd $@; fi
	$(Q)if [ $* = split ]; then llvm-dwp -e $@ -o $@.dwp; fi
	$(Q)if [ $* = mini ]; then \
	    objcopy --only-keep-debug $@ $@.debug && xz -f $@.debug && objcopy --strip-all \
	        --add-section=.gnu_debugdata=$@.debug.xz $@; fi

-include $(FUZZ_OBJECTS:.o=.d) $(FUZZ_PROGRAMS:$(FUZZ_DIR)/%=$(FUZZ_DIR)/tests/fuzz/%.d)
