# SPDX-License-Identifier: Apache-2.0
# Many processes on one mount: what each reads is what it wrote, nobody hangs, no error comes
# that cannot be explained, and the server has everything back at the end. Then the same with
# the server and its users in 64 MiB of memory.
# "NACRE_SEED=7 NACRE_SECONDS=600 NACRE_PROCESSES=16" goes on elsewhere.
. "$TESTS/lib.sh"
not_emulated "millions of operations"
. "$TESTS/fs_lib.sh"
. "$TESTS/../support/cgroup.sh"
command -v python3 >/dev/null || skip "python3 is not installed"

seed=${NACRE_SEED:-1}
program=$TESTS/fs_load.py

# Descriptors that count: a thread keeps the pipe it splices through.
descriptors() { find "/proc/$server/fd" -type l -printf '%l\n' 2>/dev/null | grep -cv '^pipe:'; }
pipes() { find "/proc/$server/fd" -type l -printf '%l\n' 2>/dev/null | grep -c '^pipe:'; }
counter() { # NAME: what the server says of itself
  : >"$log"
  kill -USR1 "$server"
  eventually "statistics" grep -q passed-through "$log"
  sed -n "s/^$1 //p" "$log"
}
digests() { find "$1" -type f -exec sha1sum {} + | sort -k2; }

# start FOLDER [COMMAND…]: layers in FOLDER, mounted on $T/mnt by nacre-fs with $options, run by COMMAND.
start() {
  place=$1 log=$1/log
  shift
  mkdir -p "$place/lower" "$place/upper" "$place/work" "$T/mnt"
  [ -d "$place/lower/checked" ] || python3 "$program" build "$place/lower" "$seed" "$processes"
  "$@" nacre-fs -f -o "lowerdir=$place/lower,upperdir=$place/upper,workdir=$place/work${options:-}" "$T/mnt" 2>>"$log" &
  server=$!
  eventually "the mount" mountpoint -q "$T/mnt"
  address_space=$(awk '/^VmSize/ {print $2}' "/proc/$server/status") # KiB
}

stop() {
  umount "$T/mnt"
  code=0
  wait "$server" || code=$?
  # A server built with a sanitizer says here what it found.
  [ "$code" = 0 ] || fail "the server ended with $code: $(cat "$log")"
}

# loaded SECONDS [COMMAND…]: the load, run by COMMAND, then what the server has left of it.
loaded() {
  seconds=$1
  shift
  before=$(descriptors)
  "$@" python3 "$program" "$T/mnt" "$place/lower" "$seed" "$seconds" "$processes" || {
    kill -0 "$server" 2>/dev/null || echo "the server has ended: $(cat "$log")"
    fail "see above"
  }
  kill -0 "$server" || fail "the server has ended: $(cat "$log")"
  equal "open handles" "$(counter handles)" 0
  shown=$(digests "$T/mnt")
  threads=$(find "/proc/$server/task" -mindepth 1 -maxdepth 1 | wc -l)
  # Two of a pipe for each thread, and as many for the mount itself.
  [ "$(pipes)" -le $((2 * threads + 8)) ] || fail "pipes: $(pipes), with $threads threads"
  if python3 "$program" release "$T/mnt" 2>/dev/null; then
    forgotten=''
    for _ in 1 2 3 4 5 6 7 8 9 10; do
      [ "$(counter inodes)" -le 1 ] && [ "$(descriptors)" -le $((before + 4)) ] && forgotten=1 && break
      sleep 0.5
      python3 "$program" release "$T/mnt"
    done
    echo "after the load: inodes $(counter inodes), descriptors $(descriptors) (before: $before), pipes $(pipes)"
    [ -n "$forgotten" ] || fail "not given back: $(find "/proc/$server/fd" -type l -printf '%l\n' | head -n 20)"
  else
    echo "not tested: what is left when the kernel forgets: it may not be asked to"
  fi
  equal "work folder leftovers" "$(find "$place/work" -mindepth 2 | head -n 3)" ""
  stop
  # Nothing is in the memory of a server alone.
  start "$place"
  [ "$(digests "$T/mnt")" = "$shown" ] || fail "another mount shows other files"
  stop
}

[ -e "$BIN/nacre-fs" ] || skip "nacre-fs was not built"
processes=${NACRE_PROCESSES:-8}
mkdir "$T/plain"
start "$T/plain"
loaded "${NACRE_SECONDS:-20}"

# Under memory pressure. What the server writes to must be a disk: a tmpfs is memory itself.
without() { # REASON: the load alone was tested
  echo "not tested: memory pressure: $1"
  exit 0
}
[ "$address_space" -lt 1000000000 ] || without "what a sanitizer needs for itself does not fit"
memory=$(cgroup_mount memory) || without "no memory cgroup"
group=$memory$NACRE_CGROUP_PARENT/load
if is_v2 "$memory"; then cgroup_enable "$memory" "$NACRE_CGROUP_PARENT" memory; fi
mkdir -p "$group" 2>/dev/null || without "no cgroup can be made"
tidy() { remove_cgroup "$NACRE_CGROUP_PARENT"; }
trap tidy EXIT
limit=$((64 << 20))
{ echo "$limit" >"$group/memory.max" || echo "$limit" >"$group/memory.limit_in_bytes"; } 2>/dev/null || without "no limit can be set"
mkdir "$T/disk"
if [ "$(stat -f -c %T "$T")" = tmpfs ]; then
  # Written in full now, so that its pages are not the group's.
  head -c 256M /dev/zero >"$T/image"
  mkfs.ext4 -q -E nodiscard "$T/image" 2>/dev/null || without "no ext4 can be made"
  mount -o loop "$T/image" "$T/disk" 2>/dev/null || without "no loop device"
fi

# shellcheck disable=SC2016 # for a shell that joins and becomes the program
join='echo $$ >"$0/cgroup.procs" && exec "$@"'
confined() { sh -c "$join" "$group" "$@"; }
pressed() { cat "$group/memory.failcnt" 2>/dev/null || sed -n 's/^max //p' "$group/memory.events"; }
killed() { sed -n 's/^oom_kill //p' "$group/memory.oom_control" "$group/memory.events" 2>/dev/null; }
processes=4
# Also with every byte through the server, which then needs memory to make memory free.
for options in "" ",passthrough=0"; do
  place=$T/disk/${options#,}layers
  mkdir "$place"
  start "$place" sh -c "$join" "$group"
  # The group is full from the beginning, of what can be given back.
  confined head -c "$limit" /dev/zero >"$place/filler"
  reached=$(pressed)
  loaded "${NACRE_SECONDS:-10}" confined
  echo "limit reached $(($(pressed) - reached)) times${options:+ with ${options#,}}"
  [ "$(pressed)" -gt "$reached" ] || fail "there was no memory pressure"
  equal "killed for want of memory" "$(killed)" 0
  rm -rf "$place"
done
if mountpoint -q "$T/disk"; then umount "$T/disk"; fi
