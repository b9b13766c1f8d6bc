# SPDX-License-Identifier: Apache-2.0
# Many at once on one mount; then the server is killed under load: its store mounts again,
# and those who used it do not hang.
. "$TESTS/lib.sh"
not_emulated "thousands of races"
. "$TESTS/fs_lib.sh"

layers
for i in $(seq 50); do
  mkdir -p "$T/lower/d$i"
  for j in $(seq 10); do echo "$i $j" >"$T/lower/d$i/f$j"; done
done
before=$(tree "$T/lower" | sha256sum)
fuse_mount

work() { # NUMBER
  for i in $(seq 50); do
    echo "from $1" >>"$T/mnt/d$i/f1"
    echo "$1" >"$T/mnt/d$i/new$1"
    mv "$T/mnt/d$i/new$1" "$T/mnt/d$i/moved$1" || return 1
    [ $((i % 8)) = "$1" ] && rm -f "$T/mnt/d$i/f$((1 + $1))"
    find "$T/mnt/d$i" >/dev/null || return 1
  done
  true
}
for n in 1 2 3 4; do
  { work $n || echo "worker $n" >>"$T/failures"; } &
done
wait
[ ! -f "$T/failures" ] || fail "$(cat "$T/failures")"
for i in $(seq 50); do
  equal "lines in d$i/f1" "$(wc -l <"$T/mnt/d$i/f1")" 5
  for n in 1 2 3 4; do equal "d$i/moved$n" "$(cat "$T/mnt/d$i/moved$n")" $n; done
done
equal "the lower layer" "$(tree "$T/lower" | sha256sum)" "$before"

mkdir "$T/mnt/listed"
for i in $(seq 300); do : >"$T/mnt/listed/stays$i"; done
if command -v python3 >/dev/null; then
  python3 "$TESTS/fs_listing.py" "$T/mnt/listed" 2 || fail "listings of a directory that changes"
fi

server=$(for p in /proc/[0-9]*; do
  [ "$(readlink "$p/exe" 2>/dev/null)" = "$(readlink -f "$BIN/nacre-fs")" ] && [ "$(cat "$p/comm")" = nacre-fs ] && tr '\0' ' ' <"$p/cmdline" | grep -q "$T/mnt" && echo "${p#/proc/}"
done || true)
[ -n "$server" ] || fail "no server found"
{ while echo x >>"$T/mnt/d1/f1"; do :; done; } 2>/dev/null &
writer=$!
sleep 0.3
kill -KILL "$server"
eventually "the writer's end" sh -c "! kill -0 $writer 2>/dev/null"
# The mount goes with its server; where the build cannot do that, whoever comes gets an error.
code=0
timeout 10 ls "$T/mnt" >/dev/null 2>"$T/err" || code=$?
[ "$code" != 124 ] || fail "ls hangs on a mount whose server was killed"
[ "$code" = 0 ] || grep -q 'not connected' "$T/err" || fail "ls on a dead mount: $(cat "$T/err")"
umount -l "$T/mnt" 2>/dev/null || true
eventually "mounting again" sh -c "nacre-fs -o 'lowerdir=$T/lower,upperdir=$T/upper,workdir=$T/work' '$T/mnt'"
find "$T/mnt" -type f -print0 | xargs -0 cat >/dev/null || fail "files of the store cannot be read"
equal "work folder leftovers" "$(find "$T/work" -mindepth 2 | head -n 3)" ""
umount "$T/mnt"
