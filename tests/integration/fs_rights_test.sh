# SPDX-License-Identifier: Apache-2.0
# Owners, umask, set-id bits, capabilities and access control lists: on the mount as on an
# ordinary folder, for root and for another user.
. "$TESTS/lib.sh"
. "$TESTS/fs_lib.sh"
layers
chmod 777 "$T/lower" "$T/upper"
mkdir "$T/native" "$T/lower/acl" "$T/lower/group" "$T/lower/sticky"
for f in one two three; do echo "data of $f" >"$T/lower/$f"; chmod 6777 "$T/lower/$f"; done
echo x >"$T/lower/capable"
python3 - "$T/lower" <<'PY'
import os, struct, sys
root = sys.argv[1]
rights = struct.pack("<IIIII", 0x02000001, 1 << 13, 0, 0, 0)  # cap_net_raw=ep
os.setxattr(root + "/capable", "security.capability", rights)
none = 0xffffffff
entries = [(1, 7, none), (2, 7, 1000), (4, 5, none), (0x10, 7, none), (0x20, 0, none)]
os.setxattr(root + "/acl", "system.posix_acl_default",
            struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *e) for e in entries))
PY
chmod 777 "$T/lower/acl"
chgrp 55 "$T/lower/group"
chmod 2777 "$T/lower/group"
chmod 1777 "$T/lower/sticky"
cp -a "$T/lower/." "$T/native/"
chmod 777 "$T/native"
fuse_mount

user() { setpriv --reuid=1000 --regid=1000 --clear-groups sh -c "$1"; }
show() { for f in "$@"; do stat -c '%n %a %u %g' "$f"; getfattr -h -d -m '^(system|security)' -e hex "$f" 2>/dev/null | grep '='; done; }
use() (
  set +e  # what fails is a part of the answer
  cd "$1" || exit
  # Known to the kernel before they are changed.
  show one two three capable >/dev/null
  user 'echo x >>one; : >two; truncate -s 3 three'
  show one two three
  echo x >>capable
  show capable
  touch acl/file
  mkdir acl/dir
  user 'umask 077; touch acl/mine; mkdir group/dir; touch group/file; ln -s x group/link; mkdir sticky/d; touch plain'
  show acl/file acl/dir acl/mine group/dir group/file group/link sticky/d plain
  chmod 640 acl/mine
  show acl/mine
  touch sticky/of-root
  user 'rm sticky/of-root; rm -rf sticky/d; echo x >acl/file; cat acl/dir; chmod 777 capable; mknod dev c 1 3'
  chown 1000:1000 one
  chmod 4755 one
  chown 0 one
  show one
  mknod dev c 1 3 && head -c 1 dev >/dev/null && stat -c %t:%T dev
)
use "$T/native" >"$T/wanted" 2>&1
use "$T/mnt" >"$T/got" 2>&1
diff "$T/wanted" "$T/got" || fail "rights differ from those of an ordinary folder"
grep -q 'one 777' "$T/wanted" || fail "the test shows nothing"
umount "$T/mnt"
