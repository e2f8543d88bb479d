# SPDX-License-Identifier: MIT
# ptprof. `make demo` and `make check` work on a bare Debian 12: they install what is missing.
# All outputs lie under build/. V=1 shows the commands.

PREFIX  ?= /usr/local
DESTDIR ?=
CC      ?= cc
BUILD   ?= build
V       ?= 0
Q       := $(if $(filter 1,$(V)),,@)
# On all CPUs, if nobody said on how many.
SUBMAKE  = $(MAKE) --no-print-directory $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(shell nproc))

VERSION  := 0.1.0
# Whose folders are built: of the machine that the compiler builds for.
ARCH     := $(firstword $(subst -, ,$(shell $(CC) -dumpmachine)))
CFLAGS   ?= -O2 -g
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wconversion \
            -Wno-sign-conversion -Wformat=2 -Wvla
CPPFLAGS_ALL := -D_GNU_SOURCE -DPTPROF_VERSION='"$(VERSION)"' -Isrc -Iinclude -I. -I$(BUILD)/gen
CFLAGS_ALL   := -std=gnu11 $(WARNINGS) -fPIC -fvisibility=hidden -fno-omit-frame-pointer \
                $(CFLAGS) $(SANITIZE)
LDLIBS_TOOL := -lncursesw -ltinfo
LDLIBS := -lunwind-ptrace -lunwind-$(ARCH) -lunwind -ldw -lelf -llzma -lz -lzstd -ldeflate \
          -lprotobuf-c -liberty -ljansson -lmicrohttpd -lyaml -lcrypt -lm

# What each build needs beyond a C compiler and make, as Debian packages.
PACKAGES_BUILD := gcc libc6-dev make pkg-config libunwind-dev libelf-dev libdw-dev \
                  libdebuginfod-dev liblzma-dev zlib1g-dev libzstd-dev libdeflate-dev \
                  libprotobuf-c-dev protobuf-c-compiler libiberty-dev libncurses-dev \
                  libcurl4-openssl-dev libjansson-dev libmicrohttpd-dev libyaml-dev \
                  libcrypt-dev
PACKAGES_CHECK := $(PACKAGES_BUILD) check python3 procps util-linux golang-go gdb strace binutils \
                  mandoc libdevel-nytprof-perl libcap2-bin tmux g++ clang llvm dwz xz-utils \
                  musl-tools linux-libc-dev linux-perf elfutils libboost-context-dev \
                  graphviz google-perftools libgoogle-perftools-dev libjemalloc-dev openssl \
                  libmimalloc2.0 libtcmalloc-minimal4 python3-dbg chromium chromium-driver nodejs \
                  $(NPM) curl prometheus nginx redis-server redis-tools postgresql
# Some packages of nodejs bring npm along.
NPM := $(if $(shell command -v npm),,npm)
# Those of them that are services, which must not start: tests start their own, on ports of theirs.
SERVICES := prometheus nginx redis-server postgresql

SOURCES_TOOL := $(sort $(wildcard src/commands/*.c tui/*.c)) src/main.c
SOURCES_LIB  := $(filter-out $(SOURCES_TOOL),\
                  $(sort $(wildcard src/*/*.c src/*/reader/*.c src/*/front/*.c \
                      src/*/$(ARCH)/*.c)))
GENERATED    := $(BUILD)/gen/profile.pb-c.c
OBJECTS_LIB  := $(SOURCES_LIB:%.c=$(BUILD)/%.o) $(GENERATED:.c=.o)
OBJECTS_TOOL := $(SOURCES_TOOL:%.c=$(BUILD)/%.o)
TARGETS      := $(patsubst tests/targets/%.c,$(BUILD)/tests/targets/%,\
                  $(filter-out tests/targets/lib%.c,$(wildcard tests/targets/*.c)))
EXAMPLES     := $(addprefix $(BUILD)/examples/,busy contention embed leak thread_leak)

.PHONY: all tool lib examples check check-quick soak mutants demo bench fuzz asan ubsan install \
        uninstall clean packages-build packages-check test-programs
.SECONDARY:

all: tool lib examples
tool: $(BUILD)/ptprof
lib: $(BUILD)/libptprof.a $(BUILD)/libptprof.so $(BUILD)/ptprof.pc
examples: $(EXAMPLES)

# --- generated sources -----------------------------------------------------------------------
$(BUILD)/gen/profile.pb-c.c $(BUILD)/gen/profile.pb-c.h &: proto/profile.proto
	@mkdir -p $(@D)
	$(Q)protoc-c --c_out=$(BUILD)/gen -Iproto $<

# The preprocessor works out the numbers of system calls, which may be names of other macros; those
# that are no calls the kernel's generic list has.
$(BUILD)/gen/syscall_names.inc:
	@mkdir -p $(@D)
	$(Q)echo '#include <sys/syscall.h>' | $(CC) -E -dM - | \
	    sed -n 's/^#define __NR_\([a-z0-9_]*\) .*/\1/p' | \
	    { echo '#include <sys/syscall.h>'; sed 's/.*/[__NR_&] = "&",/'; } | $(CC) -E -P - | \
	    sed -n '/_specific_syscall"\|"syscalls"/d; /^\[[0-9]*\] = /p' | sort -t[ -k2n > $@

HEADERS_GENERATED := $(BUILD)/gen/profile.pb-c.h $(BUILD)/gen/syscall_names.inc

# Pages, which are written by hand in pieces: that of flame graphs (src/output/flame_files.c puts it
# into the program), and that of a server (src/serve/front/assets.c), which has flame graphs too.
FLAME         := src/output/flame
PAGE          := src/serve/page
GRAPH_SCRIPTS := $(addprefix $(FLAME)/,data.js tree.js colors.js draw.js table.js controls.js \
                   pointer.js graph.js)
FLAME_PIECES  := $(addprefix $(BUILD)/gen/,flame.html flame.css flame.js)
PAGE_PIECES   := $(addprefix $(BUILD)/gen/,page.html page.css page.js)

$(BUILD)/gen/flame.html: $(addprefix $(FLAME)/,flame_head.html graph.html flame_tail.html)
$(BUILD)/gen/flame.css: $(FLAME)/graph.css $(FLAME)/flame.css
$(BUILD)/gen/flame.js: $(GRAPH_SCRIPTS) $(FLAME)/page.js $(FLAME)/start.js
$(BUILD)/gen/page.html: $(PAGE)/page_head.html $(FLAME)/graph.html $(PAGE)/page_tail.html
$(BUILD)/gen/page.css: $(FLAME)/graph.css $(PAGE)/page.css
$(BUILD)/gen/page.js: $(GRAPH_SCRIPTS) $(addprefix $(PAGE)/,words.js kept.js chart.js charts.js \
                        tables.js panels.js pprof.js cells.js files.js live.js \
                        said.js address.js dashboard.js start.js)
$(FLAME_PIECES) $(PAGE_PIECES):
	@mkdir -p $(@D)
	$(Q)cat $^ > $@

$(BUILD)/gen/%.gz: $(BUILD)/gen/%
	$(Q)gzip -9nc $< > $@

# What a Content-Security-Policy calls a script: sha256 in base64, here of three digits of 16 at a
# time, for two of 64.
$(BUILD)/gen/%.hash: $(BUILD)/gen/%
	$(Q)sha256sum $< | awk '{ \
	    for (i = 1; i <= 64; i += 3) { \
	        n = 0; \
	        for (k = i; k < i + 3; k++) \
	            n = n * 16 + (k > 64 ? 0 : index("123456789abcdef", substr($$1, k, 1))); \
	        text = text substr(digits, int(n / 64) + 1, 1) substr(digits, n % 64 + 1, 1) } \
	    printf "sha256-%s=", substr(text, 1, 43) }' \
	    digits=ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/ - > $@

$(BUILD)/src/output/flame_files.o: $(FLAME_PIECES) $(addsuffix .hash,$(FLAME_PIECES))
$(BUILD)/src/serve/front/assets.o: $(PAGE_PIECES) $(addsuffix .gz,$(PAGE_PIECES)) \
    $(addsuffix .hash,$(PAGE_PIECES))
$(BUILD)/src/serve/front/openapi.o: src/serve/page/openapi.json

# --- objects and programs --------------------------------------------------------------------
$(BUILD)/gen/%.o: $(BUILD)/gen/%.c
	$(Q)$(CC) -std=gnu11 -fPIC -fvisibility=hidden $(CFLAGS) $(SANITIZE) -c -o $@ $<

$(BUILD)/%.o: %.c Makefile | $(HEADERS_GENERATED)
	@mkdir -p $(@D)
	@$(if $(Q),echo "  cc   $<")
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

$(BUILD)/libptprof.a: $(OBJECTS_LIB)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

# The library stays loaded: a thread of it may still wait for a file system that does not answer.
SHARED := -Wl,-soname,libptprof.so.0,-z,nodelete -Wl,--exclude-libs,ALL
$(BUILD)/libptprof.so.0: $(OBJECTS_LIB)
	$(Q)$(CC) -shared $(SHARED) $(SANITIZE) -o $@ $^ $(LDLIBS)

$(BUILD)/libptprof.so: $(BUILD)/libptprof.so.0
	$(Q)ln -sf libptprof.so.0 $@

$(BUILD)/ptprof: $(OBJECTS_TOOL) $(BUILD)/libptprof.a
	@$(if $(Q),echo "  link $@")
	$(Q)$(CC) $(SANITIZE) $(LDFLAGS) -o $@ $^ $(LDLIBS) $(LDLIBS_TOOL)

# Made anew each time: it holds PREFIX.
.PHONY: $(BUILD)/ptprof.pc
$(BUILD)/ptprof.pc:
	@mkdir -p $(@D)
	@printf '%s\n' 'prefix=$(PREFIX)' 'libdir=$${prefix}/lib' 'includedir=$${prefix}/include' '' \
	    'Name: ptprof' 'Description: Profile running native processes' 'Version: $(VERSION)' \
	    'Libs: -L$${libdir} -lptprof' 'Libs.private: $(LDLIBS)' 'Cflags: -I$${includedir}' > $@

$(BUILD)/examples/embed: examples/embed.c $(BUILD)/libptprof.a
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -Wall -Wextra $(CFLAGS) $(SANITIZE) -Iinclude -o $@ $^ $(LDLIBS)

$(BUILD)/examples/%: examples/%.c
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -O2 -g -pthread -o $@ $<

# --- tests -----------------------------------------------------------------------------------
-include tests/tests.mk

check: packages-check
	$(Q)$(SUBMAKE) all test-programs
	$(Q)python3 tests/run.py

# What needs no target: under a minute.
check-quick: packages-check
	$(Q)$(SUBMAKE) tool $(BUILD)/tests/unit-tests
	$(Q)python3 tests/run.py unit/ screens/ style/

# The long forms of what `make check` runs in a short one.
soak: packages-check
	$(Q)$(SUBMAKE) all test-programs
	$(Q)python3 tests/run.py --soak

# Faults that tests must notice, planted in a copy of the tree one after the other.
mutants: packages-check
	$(Q)$(SUBMAKE) all test-programs
	$(Q)python3 tests/mutants/mutants.py

bench: packages-check
	$(Q)$(SUBMAKE) all test-programs
	$(Q)python3 tests/bench/bench.py

asan:
	$(Q)$(SUBMAKE) BUILD=build/asan SANITIZE="-fsanitize=address" \
	    CFLAGS="-O1 -g" all test-programs
ubsan:
	$(Q)$(SUBMAKE) BUILD=build/ubsan \
	    SANITIZE="-fsanitize=undefined -fno-sanitize-recover=all" CFLAGS="-O1 -g" all test-programs

# --- set-up ----------------------------------------------------------------------------------
# Installs what dpkg does not know as installed; says so first. No service is started (what
# policy-rc.d answers is what Debian's packages ask before that), nor at the next boot.
POLICY := /usr/sbin/policy-rc.d
define install_missing
missing=""; for p in $(1); do \
    dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || \
        missing="$$missing $$p"; \
done; \
if [ -n "$$missing" ]; then \
    echo "installing:$$missing"; \
    sudo=""; [ "$$(id -u)" = 0 ] || sudo=sudo; \
    if [ ! -e $(POLICY) ]; then \
        trap "$$sudo rm -f $(POLICY)" EXIT; trap 'exit 130' INT TERM; \
        printf '#!/bin/sh\nexit 101\n' | $$sudo tee $(POLICY) >/dev/null; \
        $$sudo chmod 755 $(POLICY); \
    fi; \
    $$sudo apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
        $$sudo apt-get install -y -qq --no-install-recommends $$missing >/dev/null || exit; \
    for p in $(SERVICES); do case " $$missing " in *" $$p "*) \
        $$sudo systemctl disable -q --now $$p 2>/dev/null || :;; esac; done; \
fi
endef

packages-build:
	@$(call install_missing,$(PACKAGES_BUILD))
packages-check:
	@$(call install_missing,$(PACKAGES_CHECK))

demo: packages-build
	$(Q)$(SUBMAKE) tool $(BUILD)/examples/busy
	$(Q)sh examples/demo.sh $(BUILD)

# --- installation ----------------------------------------------------------------------------
COMPLETIONS := bash:share/bash-completion/completions/ptprof \
               zsh:share/zsh/site-functions/_ptprof \
               fish:share/fish/vendor_completions.d/ptprof.fish
INSTALLED := bin/ptprof lib/libptprof.a lib/libptprof.so.0 lib/libptprof.so \
             lib/pkgconfig/ptprof.pc include/ptprof/ptprof.h share/man/man1/ptprof.1 \
             $(foreach c,$(COMPLETIONS),$(lastword $(subst :, ,$(c))))

install: tool lib
	install -Dm755 $(BUILD)/ptprof $(DESTDIR)$(PREFIX)/bin/ptprof
	install -Dm644 $(BUILD)/libptprof.a $(DESTDIR)$(PREFIX)/lib/libptprof.a
	install -Dm755 $(BUILD)/libptprof.so.0 $(DESTDIR)$(PREFIX)/lib/libptprof.so.0
	ln -sf libptprof.so.0 $(DESTDIR)$(PREFIX)/lib/libptprof.so
	install -Dm644 $(BUILD)/ptprof.pc $(DESTDIR)$(PREFIX)/lib/pkgconfig/ptprof.pc
	install -Dm644 include/ptprof/ptprof.h $(DESTDIR)$(PREFIX)/include/ptprof/ptprof.h
	install -Dm644 src/ptprof.1 $(DESTDIR)$(PREFIX)/share/man/man1/ptprof.1
	$(foreach c,$(COMPLETIONS),$(BUILD)/ptprof completion $(firstword $(subst :, ,$(c))) | \
	    install -Dm644 /dev/stdin $(DESTDIR)$(PREFIX)/$(lastword $(subst :, ,$(c)));)
	@# So that programs find the library; a package's own scripts do that, and others may not.
	@[ -n "$(DESTDIR)" ] || ldconfig 2>/dev/null || :

uninstall:
	rm -f $(INSTALLED:%=$(DESTDIR)$(PREFIX)/%)

clean:
	rm -rf build

-include $(OBJECTS_LIB:.o=.d) $(OBJECTS_TOOL:.o=.d)
