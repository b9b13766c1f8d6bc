# SPDX-License-Identifier: Apache-2.0
# Owners on disk and owners in the mount: mapped ranges, as podman gives them, and squashed.
. "$TESTS/lib.sh"
. "$TESTS/fs_lib.sh"

owner() { stat -c '%u:%g' "$1"; }
mount_with() {
  nacre-fs -o "lowerdir=$T/lower,upperdir=$T/upper,workdir=$T/work,$1" "$T/mnt" || fail "nacre-fs does not mount with $1"
}

layers
echo root >"$T/lower/root"
echo user >"$T/lower/user"
chown 1000:1001 "$T/lower/user"
setfacl -m u:7:rw,g:8:r "$T/lower/user"
echo other >"$T/lower/other"
chown 70000:70000 "$T/lower/other"
chmod 777 "$T/upper"

mount_with "uidmapping=:0:100000:65536,gidmapping=:0:100000:65536"
equal "root's file" "$(owner "$T/mnt/root")" 100000:100000
equal "a user's file" "$(owner "$T/mnt/user")" 101000:101001
equal "a file of nobody known" "$(owner "$T/mnt/other")" 65534:65534
equal "the list of users" "$(getfacl -cn "$T/mnt/user" 2>/dev/null | grep -E '^(user|group):[0-9]' | tr '\n' ' ')" "user:100007:rw- group:100008:r-- "
chown 100005:100006 "$T/mnt/root"
equal "after chown, in the mount" "$(owner "$T/mnt/root")" 100005:100006
equal "after chown, on disk" "$(owner "$T/upper/root")" 5:6
echo more >>"$T/mnt/user"
equal "after copy-up, on disk" "$(owner "$T/upper/user")" 1000:1001
equal "the list after copy-up, on disk" "$(getfacl -cn "$T/upper/user" 2>/dev/null | grep -cE '^user:7:rw-|^group:8:r--')" 2
setfacl -m u:100009:r "$T/mnt/user"
getfacl -cn "$T/upper/user" 2>/dev/null | grep -q '^user:9:r--' || fail "a list that was set is not mapped: $(getfacl -cn "$T/upper/user")"
setpriv --reuid 100011 --regid 100012 --clear-groups touch "$T/mnt/made" || fail "a mapped user cannot create"
equal "what a mapped user made, in the mount" "$(owner "$T/mnt/made")" 100011:100012
equal "what a mapped user made, on disk" "$(owner "$T/upper/made")" 11:12
# Root has no place on disk: what it makes is nobody's, and nothing can be given to it.
exits 0 touch "$T/mnt/mine"
equal "the owner of what root makes" "$(stat -c %u:%g "$T/upper/mine")" "$(cat /proc/sys/kernel/overflowuid):$(cat /proc/sys/kernel/overflowgid)"
exits 1 chown 0 "$T/mnt/mine"
grep -q 'too large' "$T/err" || fail "root has no place on disk: $(cat "$T/err")"
rm "$T/mnt/mine"
exits 1 chown 5:5 "$T/mnt/user"
umount "$T/mnt"
sleep 0.1

mount_with squash_to_root
equal "squashed" "$(owner "$T/mnt/user") $(owner "$T/mnt/other")" "0:0 0:0"
umount "$T/mnt"
sleep 0.1
mount_with squash_to_uid=42,squash_to_root
equal "squashed to a user" "$(owner "$T/mnt/user")" 42:0
touch "$T/mnt/squashed"
equal "created squashed, on disk" "$(owner "$T/upper/squashed")" 42:0
umount "$T/mnt"
refuses 1 'uidmapping=0:1.*DISK-ID:SHOWN-ID:COUNT' nacre-fs -o "lowerdir=$T/lower,uidmapping=0:1" "$T/mnt"
