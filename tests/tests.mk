# Test programs: the Check suite, the targets, helpers of the live tests, fuzzers.

UNIT_SOURCES := $(sort $(wildcard tests/unit/*.c))
UNIT_OBJECTS := $(UNIT_SOURCES:%.c=$(BUILD)/%.o)
LIVE_PROGRAMS := $(patsubst tests/live/%.c,$(BUILD)/tests/live/%,$(wildcard tests/live/*.c))
BENCH_PROGRAMS := $(patsubst tests/bench/%.c,$(BUILD)/tests/bench/%,$(wildcard tests/bench/*.c))

-include tests/targets/targets.mk
test-programs: $(BUILD)/tests/unit-tests $(TARGETS) $(TARGETS_EXTRA) $(LIVE_PROGRAMS) \
               $(BENCH_PROGRAMS)

$(BUILD)/tests/unit-tests: $(UNIT_OBJECTS) $(filter-out $(BUILD)/src/main.o,$(OBJECTS_TOOL)) \
                           $(BUILD)/libptprof.a
	$(Q)$(CC) $(SANITIZE) -o $@ $^ $$(pkg-config --libs check) $(LDLIBS)

$(BUILD)/tests/live/%: $(BUILD)/tests/live/%.o $(BUILD)/libptprof.a
	$(Q)$(CC) $(SANITIZE) -o $@ $^ $(LDLIBS)

$(BUILD)/tests/targets/%: tests/targets/%.c $(wildcard tests/targets/*.h)
	@mkdir -p $(@D)
	$(Q)$(CC) -D_GNU_SOURCE -O2 -g -pthread -fno-inline $(CFLAGS_$*) -o $@ $< $(LDLIBS_$*)

$(BUILD)/tests/bench/%: tests/bench/%.c tests/targets/target.h
	@mkdir -p $(@D)
	$(Q)$(CC) -D_GNU_SOURCE $(WARNINGS) -Itests/targets -O2 -g -pthread -o $@ $<

-include $(UNIT_OBJECTS:.o=.d)

# tests/unit/main.c runs one suite for each test_NAME.c.
UNIT_SUITES := $(patsubst tests/unit/test_%.c,SUITE(%),$(sort $(wildcard tests/unit/test_*.c)))
$(UNIT_OBJECTS): WARNINGS += -Wno-missing-prototypes
$(BUILD)/tests/unit/main.o: CPPFLAGS_ALL += -D'SUITES=$(UNIT_SUITES)'
$(BUILD)/tests/unit/main.o: $(wildcard tests/unit/test_*.c)
