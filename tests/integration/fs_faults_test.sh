# SPDX-License-Identifier: Apache-2.0
# The server is killed, or gets an error, at every system call that changes something, in
# every kind of operation: the tree is the old one or the new one, never a third.
. "$TESTS/lib.sh"
not_emulated "hundreds of killed servers"
. "$TESTS/fs_lib.sh"
command -v strace >/dev/null || skip "strace is not installed"
in_memory
strace -o /dev/null true 2>/dev/null || skip "strace may not trace here"
python3 "$TESTS/fs_faults.py" kill ENOSPC EIO EDQUOT || fail "see above"
leave_memory
