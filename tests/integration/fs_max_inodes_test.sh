# SPDX-License-Identifier: Apache-2.0
# With max_inodes the kernel is made to forget what nothing uses, and so the server does; what is in use
# stays what it is.
. "$TESTS/lib.sh"
. "$TESTS/fs_lib.sh"
[ -e "$BIN/nacre-fs" ] || skip "nacre-fs was not built"
kernel_at_least 6 18 || skip "the kernel cannot be asked to forget inodes (Linux 6.18 can)"

most=512
layers
for folder in $(seq 40); do
  mkdir -p "$T/lower/$folder"
  for file in $(seq 100); do echo "$folder $file" >"$T/lower/$folder/$file"; done
done

log=$T/log
nacre-fs -f -o "lowerdir=$T/lower,upperdir=$T/upper,workdir=$T/work,max_inodes=$most" "$T/mnt" 2>>"$log" &
server=$!
eventually "the mount" mountpoint -q "$T/mnt"
inodes() {
  : >"$log"
  kill -USR1 "$server"
  eventually "statistics" grep -q passed-through "$log"
  sed -n "s/^inodes //p" "$log"
}
few() { [ "$(inodes)" -le $((most + most / 16)) ]; }

# In use: an open file, an open directory that is listed later, a working directory, a removed file.
exec 4<"$T/mnt/3/3" 5<>"$T/mnt/4/4" 6<"$T/mnt/5"
rm "$T/mnt/4/4"
cd "$T/mnt/6"
number=$(stat -c %i "$T/mnt/7/7")
for round in 1 2 3; do
  equal "files, round $round" "$(find "$T/mnt" -type f -ls | wc -l)" 3999
  eventually "at most $most inodes, round $round" few
done
equal "an open file" "$(cat <&4)" "3 3"
equal "a removed file" "$(cat <&5)" "4 4"
equal "an open directory" "$(ls /proc/self/fd/6 | wc -l)" 100
equal "the working directory" "$(cat 6)" "6 6"
equal "an inode number that was forgotten" "$(stat -c %i "$T/mnt/7/7")" "$number"
echo more >&5 || fail "a removed file cannot be written"

# New files are forgotten, too, and none of them is lost.
mkdir "$T/mnt/new"
for file in $(seq 2000); do echo "$file" >"$T/mnt/new/$file"; done
eventually "at most $most inodes after new files" few
equal "new files" "$(cat "$T"/mnt/new/* | sort -n | tail -n 1)" 2000
echo changed >"$T/mnt/8/8"
find "$T/mnt" -ls >/dev/null
equal "a changed file" "$(cat "$T/mnt/8/8")" changed

# More in use than there may be: all of it works, and the server does not search without end.
if command -v python3 >/dev/null; then
  python3 - "$T/mnt" "$most" <<'PY'
import os, sys
root, most = sys.argv[1], int(sys.argv[2])
held = [os.open(f"{root}/{i // 100 + 10}/{i % 100 + 1}", os.O_RDONLY) for i in range(most + 200)]
for path, folders, files in os.walk(root):
    for name in files: os.stat(os.path.join(path, name))
for i, fd in enumerate(held): assert os.read(fd, 99).decode() == f"{i // 100 + 10} {i % 100 + 1}\n"
PY
fi
cd "$T"
exec 4<&- 5<&- 6<&-
find "$T/mnt" -ls >/dev/null
eventually "at most $most inodes at the end" few
umount "$T/mnt"
wait "$server" || fail "the server failed: $(cat "$log")"
