# synmoat: build, test and install. `make help` lists the targets.
# Nothing is written outside $(B); the BPF objects need clang, the rest any C11 compiler.

VERSION := 0.1.0
B       ?= build
PREFIX  ?= /usr/local
SYSCONFDIR ?= /etc
UNITDIR ?= $(PREFIX)/lib/systemd/system
SYSUSERSDIR ?= $(PREFIX)/lib/sysusers.d
DESTDIR ?=

ifeq ($(origin CC),default)
CC      := gcc
endif
CLANG   ?= clang
BPFTOOL ?= $(or $(shell command -v bpftool 2>/dev/null),/usr/sbin/bpftool)
PKG     := pkg-config

WARN    := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2
CFLAGS  ?= -O2 -g
CPPFLAGS += -D_GNU_SOURCE -DSYNMOAT_VERSION='"$(VERSION)"' -I. -I$(B) -MMD -MP
C11     := -std=c11 $(WARN) $(SAN)
SAN     ?=
HARDEN  := -fstack-protector-strong -fPIE
LDFLAGS += -pie -Wl,-z,relro,-z,now

DAEMON_PKGS := libbpf libconfig libmnl libsystemd jansson libmicrohttpd
DAEMON_LIBS  = $(shell $(PKG) --libs $(DAEMON_PKGS)) -lm
CLI_PKGS    := jansson smartcols ncursesw
CLI_LIBS     = $(shell $(PKG) --libs $(CLI_PKGS))

ARCH := $(shell uname -m | sed 's/x86_64/x86/;s/aarch64/arm64/')
BPF_CFLAGS := -g -O2 -mcpu=v3 --target=bpf -D__TARGET_ARCH_$(ARCH) -Wall -Wextra -Werror -Wno-unused-parameter -I. -Ibpf
# <linux/bpf.h> wants asm/types.h, which Debian keeps where clang's bpf target does not look
BPF_CFLAGS += $(addprefix -idirafter /usr/include/,$(shell $(CC) -print-multiarch))

DAEMON_SRC := $(sort $(shell find daemon -name '*.c'))
CLI_SRC    := $(sort $(wildcard cli/*.c))
UNIT_SRC   := $(sort $(shell find tests/unit -name '*_test.c'))
BPFT_SRC   := $(sort $(wildcard tests/bpf/*_test.c))
LAB_SRC    := $(sort $(wildcard tests/lab/*.c))
LAB_SRC    := $(filter-out %.bpf.c,$(LAB_SRC))
BENCH_SRC  := $(filter-out %.bpf.c,$(sort $(wildcard tests/bench/*.c)))
FUZZ_SRC   := $(sort $(wildcard tests/fuzz/*_fuzz.c))
BPF_SRC    := $(sort $(wildcard bpf/*.bpf.c))

DAEMON_OBJ := $(DAEMON_SRC:%.c=$(B)/%.o)
CLI_OBJ    := $(CLI_SRC:%.c=$(B)/%.o)
LIB_OBJ    := $(filter-out $(B)/daemon/main.o,$(DAEMON_OBJ))

.PHONY: all daemon cli lab unit bpf e2e tests kernels asan fuzz bench bench-tools format format-check lint clean install uninstall man deb help
.DELETE_ON_ERROR:
.SECONDARY:

all: $(B)/synmoatd $(B)/synmoat ## build the daemon and the CLI
daemon: $(B)/synmoatd
cli: $(B)/synmoat

help: ## list these targets
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

# --- BPF: every hook compiles alone, bpftool links them into one object and makes its skeleton ---
$(B)/bpf/%.bpf.o: bpf/%.bpf.c
	@mkdir -p $(@D)
	$(CLANG) $(BPF_CFLAGS) -MMD -MP -MF $(@:.o=.d) -MT $@ -c $< -o $@

$(B)/bpf/synmoat.o: $(BPF_SRC:bpf/%.bpf.c=$(B)/bpf/%.bpf.o)
	$(BPFTOOL) gen object $@ $^

$(B)/bpf/synmoat.skel.h: $(B)/bpf/synmoat.o
	{ echo '// NOLINTBEGIN: generated'; $(BPFTOOL) gen skeleton $< name synmoat_bpf; echo '// NOLINTEND'; } > $@

# --- user space ---
$(B)/daemon/%.o: daemon/%.c | $(B)/bpf/synmoat.skel.h
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(C11) $(HARDEN) $(shell $(PKG) --cflags $(DAEMON_PKGS)) -c $< -o $@

$(B)/daemon/maps/%.o: $(B)/bpf/synmoat.skel.h
$(B)/daemon/control/description.o: daemon/control/io.synmoat.varlink

$(B)/cli/%.o: cli/%.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(C11) $(HARDEN) $(shell $(PKG) --cflags $(CLI_PKGS)) -c $< -o $@

$(B)/synmoatd: $(DAEMON_OBJ)
	$(CC) $(CFLAGS) $(SAN) $(LDFLAGS) $^ -o $@ $(DAEMON_LIBS)

$(B)/synmoat: $(CLI_OBJ)
	$(CC) $(CFLAGS) $(SAN) $(LDFLAGS) $^ -o $@ $(CLI_LIBS)

# --- lab tools: tests/lab/NAME.c, with a skeleton where tests/lab/NAME.bpf.c stands beside it ---
$(B)/tests/lab/%.bpf.o: tests/lab/%.bpf.c
	@mkdir -p $(@D)
	$(CLANG) $(BPF_CFLAGS) -MMD -MP -MF $(@:.o=.d) -MT $@ -c $< -o $@

$(B)/tests/lab/%.skel.h: $(B)/tests/lab/%.bpf.o
	$(BPFTOOL) gen skeleton $< name $*_bpf > $@

LAB_SKEL := $(patsubst tests/lab/%.bpf.c,$(B)/tests/lab/%.skel.h,$(wildcard tests/lab/*.bpf.c))
$(B)/lab/%: tests/lab/%.c $(LAB_SKEL)
	@mkdir -p $(@D) $(B)/tests/lab
	$(CC) $(CPPFLAGS) -I$(B)/tests/lab -MF $(B)/tests/lab/$*.d $(CFLAGS) $(C11) $< -o $@ -lbpf -lpthread -lm

# what goes before libc
$(B)/lab/%.so: tests/lab/preload/%.c
	@mkdir -p $(@D) $(B)/tests/lab
	$(CC) $(CPPFLAGS) -MF $(B)/tests/lab/$*.so.d $(CFLAGS) $(C11) -fPIC -shared $< -o $@

LAB_PRELOAD := $(patsubst tests/lab/preload/%.c,$(B)/lab/%.so,$(wildcard tests/lab/preload/*.c))

lab: $(LAB_PRELOAD) $(LAB_SRC:tests/lab/%.c=$(B)/lab/%) ## build the lab's tools (flood generator, clients, servers)

# --- tests ---
$(B)/tests/%.o: tests/%.c | $(B)/bpf/synmoat.skel.h
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(C11) -fPIE $(shell $(PKG) --cflags $(DAEMON_PKGS) cmocka) -c $< -o $@

$(B)/unit/%_test: $(B)/tests/unit/%_test.o $(LIB_OBJ)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(SAN) $(LDFLAGS) $^ -o $@ $(DAEMON_LIBS) -lcmocka

$(B)/unit/cli/%_test: $(B)/tests/unit/cli/%_test.o $(filter-out $(B)/cli/main.o,$(CLI_OBJ))
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(SAN) $(LDFLAGS) $^ -o $@ $(CLI_LIBS) -lcmocka

$(B)/tests/bpf/%.bpf.o: tests/bpf/%.bpf.c
	@mkdir -p $(@D)
	$(CLANG) $(BPF_CFLAGS) -MMD -MP -MF $(@:.o=.d) -MT $@ -c $< -o $@

$(B)/tests/bpf/%.skel.h: $(B)/tests/bpf/%.bpf.o
	$(BPFTOOL) gen skeleton $< name $*_bpf > $@

$(B)/tests/bpf/inline_reuse_test.o: CPPFLAGS += -I$(B)/tests/bpf
$(B)/tests/bpf/inline_reuse_test.o: | $(B)/tests/bpf/dawdle_outside.skel.h $(B)/tests/bpf/dawdle_inside.skel.h
BPFT_LIB := $(patsubst tests/bpf/%.c,$(B)/tests/bpf/%.o,$(filter-out %_test.c %.bpf.c,$(wildcard tests/bpf/*.c)))
$(B)/bpftest/%_test: $(B)/tests/bpf/%_test.o $(BPFT_LIB) $(LIB_OBJ)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(SAN) $(LDFLAGS) $^ -o $@ $(DAEMON_LIBS) -lcmocka

UNIT_BIN := $(UNIT_SRC:tests/unit/%_test.c=$(B)/unit/%_test)
BPFT_BIN := $(BPFT_SRC:tests/bpf/%_test.c=$(B)/bpftest/%_test)

$(B)/lab/replay: $(B)/tests/replay/replay.o $(addprefix $(B)/daemon/tracker/,segment.o state.o flowtable.o)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(SAN) $(LDFLAGS) $^ -o $@

lab: $(B)/lab/replay

unit: $(UNIT_BIN) ## run the unit tests (cmocka)
	@set -e; for t in $^; do echo "== $$t"; $$t; done

bpf: $(BPFT_BIN) ## run the BPF tests (BPF_PROG_TEST_RUN; root)
	@set -e; for t in $^; do echo "== $$t"; $$t; done

e2e: all lab ## run the end-to-end tests in namespaces (root)
	@tests/e2e/run

tests: $(UNIT_BIN) $(BPFT_BIN)

kernels: ## run a short set of tests on Debian's kernels under QEMU (root)
	@tests/kernels

asan: ## build and run the unit tests under ASan and UBSan
	$(MAKE) B=$(B)/asan SAN="-fsanitize=address,undefined -fno-sanitize-recover=all" unit

FUZZ_SECONDS ?= 60
FUZZ_FLAGS   := -g -O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all \
	-Wno-gnu-variable-sized-type-not-at-end
FUZZ_BIN     := $(FUZZ_SRC:tests/fuzz/%_fuzz.c=$(B)/fuzz/%_fuzz)
FUZZ_OBJ     := $(LIB_OBJ:$(B)/%=$(B)/fuzz/%)
# headers of bpf/, compiled for the host; frames are read wherever a header begins
$(B)/fuzz/tests/fuzz/packet_fuzz.o: FUZZ_FLAGS += -Itests/fuzz/host -Ibpf -Wno-unknown-attributes -fno-sanitize=alignment

# libFuzzer needs clang, and its instrumentation in everything it is to steer by
$(B)/fuzz/%.o: %.c | $(B)/bpf/synmoat.skel.h
	@mkdir -p $(@D)
	$(CLANG) $(CPPFLAGS) -std=c11 $(FUZZ_FLAGS) $(shell $(PKG) --cflags $(DAEMON_PKGS)) -c $< -o $@

$(B)/fuzz/%_fuzz: $(B)/fuzz/tests/fuzz/%_fuzz.o $(FUZZ_OBJ)
	$(CLANG) -fsanitize=fuzzer,address,undefined $^ -o $@ $(DAEMON_LIBS)

FUZZ_RUN := $(FUZZ_BIN:$(B)/fuzz/%_fuzz=fuzz-%)
fuzz: $(FUZZ_RUN) ## run each fuzzer for FUZZ_SECONDS (60)

.PHONY: $(FUZZ_RUN)
$(FUZZ_RUN): fuzz-%: $(B)/fuzz/%_fuzz
	@mkdir -p $(B)/fuzz/corpus/$*
	@$(B)/fuzz/$*_fuzz -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=4096 -print_final_stats=1 \
	  -close_fd_mask=1 -artifact_prefix=$(B)/fuzz/ $(B)/fuzz/corpus/$* tests/fuzz/seeds/$* \
	  > $(B)/fuzz/$*.log 2>&1 || { tail -n 40 $(B)/fuzz/$*.log; exit 1; }
	@echo "fuzz: $*: $$(awk '/number_of_executed_units/ { print $$2 }' $(B)/fuzz/$*.log) inputs in $(FUZZ_SECONDS) s, nothing found"

# --- benchmark tools: tests/bench/NAME.c, on what the BPF tests stand on; skeletons as in the lab ---
$(B)/tests/bench/%.bpf.o: tests/bench/%.bpf.c
	@mkdir -p $(@D)
	$(CLANG) $(BPF_CFLAGS) -MMD -MP -MF $(@:.o=.d) -MT $@ -c $< -o $@

$(B)/tests/bench/%.skel.h: $(B)/tests/bench/%.bpf.o
	$(BPFTOOL) gen skeleton $< name $*_bpf > $@

BENCH_SKEL := $(patsubst tests/bench/%.bpf.c,$(B)/tests/bench/%.skel.h,$(wildcard tests/bench/*.bpf.c))
BENCH_LIB  := $(patsubst %.c,$(B)/%.o,$(wildcard tests/bench/common/*.c))
$(BENCH_SRC:%.c=$(B)/%.o) $(BENCH_LIB): CPPFLAGS += -I$(B)/tests/bench
$(BENCH_SRC:%.c=$(B)/%.o) $(BENCH_LIB): | $(BENCH_SKEL)

$(B)/bench/%: $(B)/tests/bench/%.o $(BENCH_LIB) $(BPFT_LIB) $(LIB_OBJ)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(SAN) $(LDFLAGS) $^ -o $@ $(DAEMON_LIBS) -lcmocka

bench-tools: $(BENCH_SRC:tests/bench/%.c=$(B)/bench/%)

bench: ## measure everything side by side with floors and peers (root)
	@tests/bench/run

# --- care of the tree ---
C_FILES = $(shell find bpf daemon cli tests -name '*.[ch]' ! -name vmlinux.h)
format: ## format every C file with clang-format
	clang-format -i $(C_FILES)

format-check:
	clang-format --dry-run -Werror $(C_FILES)

# What cppcheck would have to find in the headers of libraries.
CPPCHECK_MACROS := '-Djson_array_foreach(a,i,v)=for(i=0;(v=json_array_get(a,i));i++)' \
	'-Djson_object_foreach(o,k,v)=for(;(v=json_object_get(o,k));)' '-DLIBBPF_OPTS(type,name,...)=struct type name={0}'

# One file a call: clang-tidy 14 confuses itself over several. The disabled check flags every snprintf and memcpy.
lint: $(B)/bpf/synmoat.skel.h ## clang-tidy and cppcheck
	@printf '%s\n' $(DAEMON_SRC) $(CLI_SRC) | xargs -P "$$(nproc)" -I FILE clang-tidy --quiet --warnings-as-errors='*' \
	  --checks=-clang-analyzer-security.insecureAPI.DeprecatedOrUnsafeBufferHandling FILE -- -std=c11 \
	  $(filter-out -MMD -MP,$(CPPFLAGS)) $(shell $(PKG) --cflags $(DAEMON_PKGS) $(CLI_PKGS)) 2>/dev/null
	cppcheck -j "$$(nproc)" --quiet --error-exitcode=1 --std=c11 --enable=warning,portability,performance --inline-suppr \
	  --suppress=missingIncludeSystem $(CPPCHECK_MACROS) -D_GNU_SOURCE -DSYNMOAT_VERSION='"$(VERSION)"' -I. daemon cli

# --- manual pages: what --help and the sample configuration say, in a frame ---
MAN := synmoat.8 synmoatd.8 synmoat.conf.5

$(B)/man/%.8: systemd/man/%.8.in systemd/man/mdoc.awk systemd/man/help.awk $(B)/%
	@mkdir -p $(@D)
	$(B)/$* --help | awk -f systemd/man/mdoc.awk -f systemd/man/help.awk > $@.part
	sed -e '/^@HELP@$$/{r $@.part' -e 'd}' $< > $@

$(B)/man/%.5: systemd/man/%.5.in systemd/man/mdoc.awk systemd/man/conf.awk conf/%
	@mkdir -p $(@D)
	awk -f systemd/man/mdoc.awk -f systemd/man/conf.awk conf/$* > $@.part
	sed -e '/^@KEYS@$$/{r $@.part' -e 'd}' $< > $@

man: $(MAN:%=$(B)/man/%) ## make the manual pages

# --- Debian package: build/deb/synmoat_VERSION_ARCH.deb ---
deb: ## build a Debian package (debhelper)
	rm -rf $(B)/deb && mkdir -p $(B)/deb/synmoat
	cp -r bpf cli conf daemon systemd Makefile README.md $(B)/deb/synmoat
	mv $(B)/deb/synmoat/systemd/debian $(B)/deb/synmoat/debian
	cp systemd/synmoat.sysusers $(B)/deb/synmoat/debian/
	cd $(B)/deb/synmoat && env -u MAKEFLAGS -u MAKELEVEL -u B dpkg-buildpackage -b -us -uc -j2

# --- installation: whole and executable at once, so that a running daemon is not disturbed by it ---
SBINDIR := $(PREFIX)/sbin
BINDIR  := $(PREFIX)/bin
MANDIR  := $(PREFIX)/share/man
COMPLETIONS := $(PREFIX)/share/bash-completion/completions
CONFDIR := $(SYSCONFDIR)/synmoat
UNITS   := synmoatd.service synmoatd.socket
SHAREDIR := $(PREFIX)/share/synmoat
SHARED  := conf/alerts.yml conf/grafana-dashboard.json

# A configuration that is there already stays as it is.
install: all man ## install under DESTDIR and PREFIX (/usr/local)
	install -D -m 755 $(B)/synmoatd $(DESTDIR)$(SBINDIR)/synmoatd
	install -D -m 755 $(B)/synmoat $(DESTDIR)$(BINDIR)/synmoat
	install -D -m 644 systemd/synmoat.sysusers $(DESTDIR)$(SYSUSERSDIR)/synmoat.conf
	install -d -m 755 $(DESTDIR)$(UNITDIR) $(DESTDIR)$(CONFDIR)/conf.d
	@set -e; for unit in $(UNITS); do \
	  sed 's|@SBINDIR@|$(SBINDIR)|; s|@BINDIR@|$(BINDIR)|' systemd/$$unit > $(B)/$$unit; \
	  echo install -m 644 $(B)/$$unit $(DESTDIR)$(UNITDIR)/$$unit; \
	  install -m 644 $(B)/$$unit $(DESTDIR)$(UNITDIR)/$$unit; \
	done
	install -D -m 644 -t $(DESTDIR)$(SHAREDIR) $(SHARED)
	install -D -m 644 -t $(DESTDIR)$(MANDIR)/man8 $(B)/man/synmoat.8 $(B)/man/synmoatd.8
	install -D -m 644 -t $(DESTDIR)$(MANDIR)/man5 $(B)/man/synmoat.conf.5
	install -D -m 644 cli/synmoat.bash $(DESTDIR)$(COMPLETIONS)/synmoat
	[ -e $(DESTDIR)$(CONFDIR)/synmoat.conf ] || install -m 644 conf/synmoat.conf $(DESTDIR)$(CONFDIR)/synmoat.conf

# What somebody has written in the configuration's folder stays.
uninstall: ## remove what install put there, but no configuration that was changed
	rm -f $(DESTDIR)$(SBINDIR)/synmoatd $(DESTDIR)$(BINDIR)/synmoat $(DESTDIR)$(SYSUSERSDIR)/synmoat.conf
	rm -f $(UNITS:%=$(DESTDIR)$(UNITDIR)/%) $(DESTDIR)$(COMPLETIONS)/synmoat $(SHARED:conf/%=$(DESTDIR)$(SHAREDIR)/%)
	rm -f $(foreach page,$(MAN),$(DESTDIR)$(MANDIR)/man$(subst .,,$(suffix $(page)))/$(page))
	[ ! -d $(DESTDIR)$(SHAREDIR) ] || rmdir --ignore-fail-on-non-empty $(DESTDIR)$(SHAREDIR)
	! cmp -s conf/synmoat.conf $(DESTDIR)$(CONFDIR)/synmoat.conf || rm $(DESTDIR)$(CONFDIR)/synmoat.conf
	[ ! -d $(DESTDIR)$(CONFDIR) ] || rmdir --ignore-fail-on-non-empty $(DESTDIR)$(CONFDIR)/conf.d $(DESTDIR)$(CONFDIR)

clean: ## remove everything that was built
	rm -rf $(B)

-include $(shell find $(B) -path $(B)/deb -prune -o -name '*.d' -type f -print 2>/dev/null)
