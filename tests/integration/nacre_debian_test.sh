# SPDX-License-Identifier: Apache-2.0
# Real work on a Debian root: install a package, clone a repository, compile a program.
. "$TESTS/lib.sh"

root=$(debian_root) || skip "no Debian root: mmdebstrap or its mirror is missing"
[ -z "${NACRE_DEBIAN_ROOT:-}" ] || skip "no package mirror is reachable from here"
command -v git >/dev/null || skip "git is not installed"

git init -q "$T/repository"
cd "$T/repository"
printf '#include <stdio.h>\nint main(void) { puts("compiled inside"); return 0; }\n' >hello.c
git add hello.c
git -c user.name=test -c user.email=test@localhost commit -qm "A program"
cd "$T"

before=$(cd "$root" && find . -xdev -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum)
cat >"$T/job" <<'JOB'
set -eu
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends git gcc libc6-dev >/dev/null
git clone -q file:///repository /work
gcc -O1 -o /work/hello /work/hello.c
/work/hello
JOB
exits 0 nacre run --rm --net host --memory 1g -v "$T/repository:/repository:ro" -v "$T/job:/job:ro" "$root" sh /job
tail -n 1 "$T/out" | grep -qx 'compiled inside' || fail "$(cat "$T/out" "$T/err")"
equal "the image's checksum" "$(cd "$root" && find . -xdev -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum)" "$before"
