# SPDX-License-Identifier: Apache-2.0
# nacre-fs: mistakes get one clear line, and nothing is mounted.
. "$TESTS/lib.sh"
. "$TESTS/fs_lib.sh"

layers
refuses 1 '/no/such/lower.*No such file' nacre-fs -o "lowerdir=/no/such/lower,upperdir=$T/upper,workdir=$T/work" "$T/mnt"
refuses 1 'lowerdir' nacre-fs -o "upperdir=$T/upper,workdir=$T/work" "$T/mnt"
refuses 1 'workdir' nacre-fs -o "lowerdir=$T/lower,upperdir=$T/upper" "$T/mnt"
refuses 1 '/no/such/mount' nacre-fs -o "lowerdir=$T/lower,upperdir=$T/upper,workdir=$T/work" /no/such/mount
refuses 1 '/etc/passwd.*(Not a directory|not a directory)' nacre-fs -o "lowerdir=/etc/passwd" "$T/mnt"
mkdir "$T/readonly"
mount -t tmpfs none "$T/readonly"
mkdir "$T/readonly/upper" "$T/readonly/work"
mount -o remount,ro "$T/readonly"
refuses 1 'upper.*[Rr]ead-only file system' nacre-fs -o "lowerdir=$T/lower,upperdir=$T/readonly/upper,workdir=$T/readonly/work" "$T/mnt"
refuses 1 'workdir.*(read-only|not on the same) file system' nacre-fs -o "lowerdir=$T/lower,upperdir=$T/upper,workdir=$T/readonly/work" "$T/mnt"
mount -o remount,rw "$T/readonly"
refuses 1 'workdir.*not on the same file system' nacre-fs -o "lowerdir=$T/lower,upperdir=$T/upper,workdir=$T/readonly/work" "$T/mnt"
umount "$T/readonly"
mkdir "$T/lower/inside" "$T/lower/inside-work"
refuses 1 'upper.*lower|lower.*upper' nacre-fs -o "lowerdir=$T/lower,upperdir=$T/lower/inside,workdir=$T/lower/inside-work" "$T/mnt"
equal "mounts" "$(grep -c "$T/mnt" /proc/self/mountinfo || true)" 0

# Two writers of one upper layer.
fuse_mount
mkdir "$T/second"
refuses 1 'upper.*in use|work.*in use' nacre-fs -o "lowerdir=$T/lower,upperdir=$T/upper,workdir=$T/work" "$T/second"
umount "$T/mnt"
# Its process may still be ending.
exits 0 nacre-fs -o "lowerdir=$T/lower,upperdir=$T/upper,workdir=$T/work" "$T/second"
umount "$T/second"

# An unknown option is a warning and no more; without an upper layer nothing can be written.
exits 0 nacre-fs -o "lowerdir=$T/lower,no_such_option" "$T/mnt"
grep -q 'unknown argument ignored: no_such_option' "$T/err" || fail "no warning: $(cat "$T/err")"
exits 1 touch "$T/mnt/x"
grep -q 'Read-only' "$T/err" || fail "$(cat "$T/err")"
umount "$T/mnt"
exits 0 nacre-fs --version
exits 0 nacre-fs --help
