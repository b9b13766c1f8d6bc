# SPDX-License-Identifier: Apache-2.0
# The mount can itself be mounted idmapped, as engines do for containers with user namespaces.
. "$TESTS/lib.sh"
. "$TESTS/fs_lib.sh"
[ -e "$BIN/nacre-fs" ] || skip "nacre-fs was not built"
kernel_at_least 6 12 || skip "FUSE mounts cannot be idmapped (Linux 6.12 can)"
command -v python3 >/dev/null || skip "no python3"

owner() { stat -c '%u:%g' "$1"; }
as() { # ID COMMAND...
  id=$1
  shift
  setpriv --reuid "$id" --regid "$id" --clear-groups -- "$@"
}

layers
mkdir "$T/shown" "$T/lower/open"
chmod 777 "$T/lower/open" "$T/lower"
echo root >"$T/lower/root"
echo user >"$T/lower/user"
chown 1000:1001 "$T/lower/user"
setfacl -m u:7:rw,g:8:r "$T/lower/user"
cp /bin/true "$T/lower/program"
chmod 6755 "$T/lower/program"
serve ""
python3 "$TESTS/idmapped_mount.py" "$T/mnt" "$T/shown" 100000 65536 || fail "it cannot be mounted idmapped"

equal "root's file" "$(owner "$T/shown/root")" 100000:100000
equal "a user's file" "$(owner "$T/shown/user")" 101000:101001
equal "the same in the mount itself" "$(owner "$T/mnt/user")" 1000:1001
equal "the list of users" "$(getfacl -cn "$T/shown/user" 2>/dev/null | grep -E '^(user|group):[0-9]' | tr '\n' ' ')" "user:100007:rw- group:100008:r-- "
for command in touch mkdir mkfifo "ln -s x"; do
  # shellcheck disable=SC2086 # two words
  as 100011 $command "$T/shown/open/${command%% *}" || fail "a mapped user cannot $command"
  equal "who made it with $command" "$(owner "$T/shown/open/${command%% *}")" 100011:100011
  equal "its owner on disk" "$(owner "$T/upper/open/${command%% *}")" 11:11
done
as 12 sh -c ': >"$1"' sh "$T/mnt/open/twelve"
equal "what a user made in the mount itself" "$(owner "$T/shown/open/twelve")" 100012:100012
chown 100005:100006 "$T/shown/root"
equal "after chown, on disk" "$(owner "$T/upper/root")" 5:6
setfacl -m u:100009:r "$T/shown/user"
getfacl -cn "$T/upper/user" 2>/dev/null | grep -q '^user:9:r--' || fail "a list that was set is not mapped"
as 101000 sh -c 'echo more >>"$1"' sh "$T/shown/user" || fail "its owner cannot write"
if as 1000 sh -c 'echo more >>"$1"' sh "$T/shown/user" 2>/dev/null; then fail "another user can write"; fi
# Who is not in the map can make nothing there.
if touch "$T/shown/open/mine" 2>/dev/null; then fail "a user without an id there makes files"; fi

# Who may not keep set-id bits is the kernel's to say, on both mounts.
for mounted in shown mnt; do
  chmod 6777 "$T/mnt/program"
  printf x >>"$T/$mounted/program"
  equal "set-id bits after root wrote ($mounted)" "$(stat -c %a "$T/$mounted/program")" 6777
  truncate -s 100 "$T/$mounted/program"
  equal "set-id bits after root cut it ($mounted)" "$(stat -c %a "$T/$mounted/program")" 6777
  as 100077 sh -c 'printf x >>"$1"' sh "$T/$mounted/program"
  equal "set-id bits after another user wrote ($mounted)" "$(stat -c %a "$T/$mounted/program")" 777
  chmod 6777 "$T/mnt/program"
  as 100077 truncate -s 50 "$T/$mounted/program"
  equal "set-id bits after another user cut it ($mounted)" "$(stat -c %a "$T/$mounted/program")" 777
  chmod 6777 "$T/mnt/program"
  as 100077 sh -c ': >"$1"' sh "$T/$mounted/program"
  equal "set-id bits after another user emptied it ($mounted)" "$(stat -c %a "$T/$mounted/program")" 777
done
umount "$T/shown"
served
