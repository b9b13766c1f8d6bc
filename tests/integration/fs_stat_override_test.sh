# SPDX-License-Identifier: Apache-2.0
# Owners, modes and devices that are kept in attributes: xattr_permissions, and layers of image
# stores with force_mask.
. "$TESTS/lib.sh"
. "$TESTS/fs_lib.sh"
command -v setfattr >/dev/null || skip "setfattr is not installed"
layers
setfattr -n user.probe -v x "$T/lower" 2>/dev/null || skip "the file system of $T has no user.* attributes"

says() { stat -c '%u:%g %a %F' "$1"; }
stored() { getfattr --absolute-names --only-values -n "$1" "$2" 2>/dev/null; }
# override FILE TEXT: as image stores write it.
override() { setfattr -n user.containers.override_stat -v "$2" "$1"; }

# A layer of a store. Its files are all the server's own.
mkdir "$T/lower/dir"
for f in suid device fifo plain text; do echo "$f" >"$T/lower/$f"; done
chmod 700 "$T/lower" "$T/lower"/*
override "$T/lower" 1:2:0751:dir
override "$T/lower/dir" 3:4:1777:dir
override "$T/lower/suid" 5:6:4755:file
override "$T/lower/device" 0:7:0666:char-1-3
override "$T/lower/fifo" 8:9:0600:pipe
override "$T/lower/plain" 10:11:0640
setfattr -n user.containers.override_security.capability -v 0sAQAAAgAgAAAAAAAAAAAAAAAAAAA= "$T/lower/suid"
nacre-fs -o "lowerdir=$T/lower" "$T/mnt"
equal "the root" "$(says "$T/mnt")" "1:2 751 directory"
equal "a directory" "$(says "$T/mnt/dir")" "3:4 1777 directory"
equal "a program" "$(says "$T/mnt/suid")" "5:6 4755 regular file"
equal "a device" "$(says "$T/mnt/device") $(stat -c %t:%T "$T/mnt/device")" "0:7 666 character special file 1:3"
equal "a fifo" "$(says "$T/mnt/fifo")" "8:9 600 fifo"
equal "without a type" "$(says "$T/mnt/plain")" "10:11 640 regular file"
equal "without the attribute" "$(says "$T/mnt/text")" "0:0 700 regular file"
equal "types in a listing" "$(find "$T/mnt" -type p -o -type c | sort | xargs -n 1 basename | tr '\n' ' ')" "device fifo "
getfattr -d -m - "$T/mnt/suid" 2>/dev/null >"$T/out"
grep -q '^security.capability=' "$T/out" || fail "security.* are not shown: $(cat "$T/out")"
! grep -q override "$T/out" || fail "the attributes themselves are shown: $(cat "$T/out")"
umount "$T/mnt"
override "$T/lower/text" nonsense
nacre-fs -o "lowerdir=$T/lower" "$T/mnt"
! stat "$T/mnt/text" >/dev/null 2>&1 || fail "nonsense is taken for an owner"
umount "$T/mnt"
setfattr -x user.containers.override_stat "$T/lower/text"

# What is written.
serve ",xattr_permissions=2"
equal "the upper's root" "$(stored user.containers.override_stat "$T/upper")" 1:2:0751:dir
cd "$T/mnt"
echo x >new
chown 1000:1001 new
chmod 6755 new
mknod null c 1 3
chown 0:12 null
mkfifo pipe
mkdir folder
chmod 2775 folder
chown 20:21 folder
echo y >folder/inherits
mkdir folder/deep
ln -s new link
mknod folder/block b 7 8
ln null hard
chgrp 77 suid          # copies it up, and takes the set-id bit away
chmod 4711 plain
echo more >>plain
setfattr -n security.capability -v 0sAQAAAgAgAAAAAAAAAAAAAAAAAAA= new
! setfattr -n user.containers.override_stat -v 0:0:0777 new 2>/dev/null || fail "the attribute itself can be set"
rm device
check() {
  equal "$1: a file" "$(says new)" "1000:1001 6755 regular file"
  equal "$1: a device" "$(says null) $(stat -c %t:%T null)" "0:12 644 character special file 1:3"
  equal "$1: its other name" "$(stat -c %h:%t:%T hard)" 2:1:3
  equal "$1: a block device" "$(stat -c '%F %t:%T' folder/block)" "block special file 7:8"
  equal "$1: a fifo" "$(says pipe)" "0:0 644 fifo"
  equal "$1: a directory" "$(says folder)" "20:21 2775 directory"
  equal "$1: the group of what is made there" "$(says folder/inherits)" "0:21 644 regular file"
  equal "$1: of a directory" "$(says folder/deep)" "0:21 2755 directory"
  equal "$1: a copied file" "$(says suid)" "5:77 755 regular file"
  equal "$1: a changed mode" "$(says plain)" "10:11 4711 regular file"
  equal "$1: its data" "$(tr '\n' ' ' <plain)" "plain more "
  [ ! -e device ] || fail "$1: a removed device is back"
  getfattr -n security.capability new >/dev/null 2>&1 || fail "$1: a capability is gone"
}
check made
cd "$T"
served
serve "" # the upper's root says by itself what it is
(cd "$T/mnt" && check "mounted again")
served
# Nothing that the host would give rights for.
equal "on disk" "$(stat -c '%u:%g %a %F' "$T/upper/new" "$T/upper/null" "$T/upper/folder" | tr '\n' ,)" \
  "0:0 755 regular file,0:0 644 regular empty file,0:0 775 directory,"
! find "$T/upper" -perm /6000 | grep . || fail "set-id bits on disk"
equal "the attribute" "$(stored user.containers.override_stat "$T/upper/null")" 0:12:0644:char-1-3
! getfattr -n security.capability "$T/upper/new" >/dev/null 2>&1 || fail "a capability on disk"

# With the attributes that take privilege.
layers
echo x >"$T/lower/file"
serve ",xattr_permissions=1"
chown 30:31 "$T/mnt/file"
ln -s x "$T/mnt/link"
chown -h 32:33 "$T/mnt/link"
equal "privileged" "$(says "$T/mnt/file"),$(says "$T/mnt/link")" "30:31 644 regular file,32:33 777 symbolic link"
served
equal "on disk, privileged" "$(stored security.fuseoverlayfs.override_stat "$T/upper/file")" 30:31:0644
if nacre-fs -o "lowerdir=$T/lower,upperdir=$T/upper,workdir=$T/work,xattr_permissions=3" "$T/mnt" 2>"$T/err"; then fail "xattr_permissions=3"; fi
grep -q "xattr_permissions" "$T/err" || fail "no word of the option: $(cat "$T/err")"

# An ordinary user with one id of his own has the files of an image, whoever owns them there.
command -v setpriv >/dev/null || exit 0
layers
for f in device program; do echo "$f" >"$T/lower/$f"; done
override "$T/lower" 0:0:0755:dir
override "$T/lower/device" 0:0:0666:char-1-3
override "$T/lower/program" 0:0:4711:file
chown -R 1000:1000 "$T/lower" "$T/upper" "$T/work" "$T/mnt"
cp -a /dev/fuse "$T/fuse"
chmod 666 "$T/fuse"
mount --bind "$T/fuse" /dev/fuse
mkdir "$T/programs"
cp "$BIN/nacre-fs" "$T/programs"
cat >"$T/as-user" <<'SCRIPT'
set -e
"$1/programs/nacre-fs" -o "lowerdir=$1/lower,upperdir=$1/upper,workdir=$1/work,xattr_permissions=2" "$1/mnt"
echo x >"$1/mnt/file"
chmod 0 "$1/mnt/file"
cat "$1/mnt/file"
chmod g+r "$1/mnt/device"
stat -c '%F %t:%T' "$1/mnt/device"
stat -c %a "$1/mnt/program"
umount "$1/mnt"
SCRIPT
if setpriv --reuid=1000 --regid=1000 --clear-groups unshare -Urm true 2>/dev/null; then
  equal "an ordinary user" "$(setpriv --reuid=1000 --regid=1000 --clear-groups unshare -Urm sh "$T/as-user" "$T" 2>&1)" \
    "$(printf 'x\ncharacter special file 1:3\n4711')"
  equal "his device" "$(stored user.containers.override_stat "$T/upper/device")" 0:0:0666:char-1-3
fi
umount /dev/fuse
