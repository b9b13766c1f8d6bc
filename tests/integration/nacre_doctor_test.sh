# SPDX-License-Identifier: Apache-2.0
# doctor says ok where containers run, and what is missing where they cannot.
. "$TESTS/lib.sh"

exits 0 nacre doctor
for line in /dev/fuse FUSE cgroups namespaces 'time namespace' 'seccomp notify' 'user namespace' 'FUSE passthrough' 'FUSE resend' 'mount API'; do
  grep -Eq "^$line +(ok|degraded) " "$T/out" || fail "no good line for $line: $(cat "$T/out")"
done
if [ -c /dev/fuse ]; then
  mkdir "$T/dev"
  # A machine without /dev/fuse, in a mount namespace of its own.
  exits 1 unshare -m sh -c 'mount -t tmpfs none /dev && nacre doctor'
  grep -Eq '^/dev/fuse +missing .*modprobe fuse' "$T/out" || fail "doctor without /dev/fuse: $(cat "$T/out")"
fi
if command -v setpriv >/dev/null; then
  exits 1 setpriv --reuid 65534 --clear-groups nacre doctor
  grep -Eq '^root +missing .*run as root' "$T/out" || fail "doctor as a user: $(cat "$T/out")"
fi
