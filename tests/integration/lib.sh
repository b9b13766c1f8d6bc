# SPDX-License-Identifier: Apache-2.0
# Assertions for the integration tests. Source with: . "$TESTS/lib.sh"

fail() {
  printf 'FAIL: %s\n' "$*"
  exit 1
}

skip() {
  printf 'SKIP: %s\n' "$*"
  exit 77
}

# not_emulated WHAT: skips where a machine without hardware of its own would take too long, for what
# another kernel or cgroup v2 makes no difference to.
not_emulated() {
  [ "${NACRE_TEST_SCALE:-1}" = 1 ] || skip "$1 take too long on an emulated machine"
}

# kernel_at_least MAJOR MINOR
kernel_at_least() {
  version=$(uname -r)
  major=${version%%.*} minor=${version#*.}
  minor=${minor%%[!0-9]*}
  [ "$major" -gt "$1" ] || { [ "$major" = "$1" ] && [ "$minor" -ge "$2" ]; }
}

# equal WHAT ACTUAL WANTED
equal() {
  [ "$2" = "$3" ] || fail "$1: got [$2], want [$3]"
}

# within WHAT ACTUAL LOW HIGH: integers, both ends included.
within() {
  [ "$2" -ge "$3" ] && [ "$2" -le "$4" ] || fail "$1: got $2, want $3 to $4"
}

# exits CODE COMMAND…: its output goes to $T/out and $T/err.
exits() {
  wanted=$1
  shift
  code=0
  "$@" >"$T/out" 2>"$T/err" </dev/null || code=$?
  [ "$code" = "$wanted" ] || {
    cat "$T/out" "$T/err"
    fail "$*: exit code $code, want $wanted"
  }
}

# refuses CODE PATTERN COMMAND…: exits so, with exactly one line on standard error that
# matches, and nothing on standard output.
refuses() {
  wanted=$1
  pattern=$2
  shift 2
  exits "$wanted" "$@"
  [ ! -s "$T/out" ] || fail "$*: unexpected output: $(cat "$T/out")"
  [ "$(wc -l <"$T/err")" = 1 ] || fail "$*: want one line of error, got: $(cat "$T/err")"
  grep -Eq -- "$pattern" "$T/err" || fail "$*: error does not match [$pattern]: $(cat "$T/err")"
}

# eventually WHAT COMMAND…: within ten seconds.
eventually() {
  what=$1
  shift
  for _ in $(seq 100); do
    "$@" >/dev/null 2>&1 && return 0
    sleep 0.1
  done
  fail "$what: not within ten seconds"
}

# A cgroup value of container $1, whatever the version: cgroup_value ID V1-CONTROLLER V1-FILE V2-FILE
cgroup_value() {
  for file in "/sys/fs/cgroup/$2$NACRE_CGROUP_PARENT/$1/$3" "/sys/fs/cgroup$NACRE_CGROUP_PARENT/$1/$4"; do
    [ -f "$file" ] && cat "$file" && return 0
  done
  fail "no $3 or $4 for $1"
}

# A minimal Debian root with procps and python3, made once; nobody may change it. Prints its path.
# debian_root NAME PACKAGE…: another one.
debian_root() {
  "$TESTS/../support/debian_root.sh" "$@"
}
