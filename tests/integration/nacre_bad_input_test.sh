# SPDX-License-Identifier: Apache-2.0
# Mistakes get one clear line and leave nothing behind.
. "$TESTS/lib.sh"

refuses 125 'image nowhere: no such image' nacre run nowhere true
refuses 125 'image layer /no/such/place: No such file' nacre run /no/such/place true
refuses 125 'image layer .*/etc/passwd: not a directory' nacre run /etc/passwd true
refuses 125 'lower.*no/lower|image layer .*no/lower' nacre run "$T:/no/lower" true
refuses 125 'memory 1: too small.*6m' nacre run --memory 1 busybox true
refuses 125 '"abc" is not a size' nacre run --memory abc busybox true
refuses 125 'cpus.*"fast" is not a number' nacre run --cpus fast busybox true
refuses 125 'cpuset-cpus.*does not exist' nacre run --cpuset-cpus 4000 busybox true
refuses 125 'pids-limit' nacre run --pids-limit 0 busybox true
refuses 125 'memory-swap.*needs --memory' nacre run --memory-swap 1g busybox true
refuses 125 'net.*unknown' nacre run --net bridge busybox true
refuses 125 'volume.*not SOURCE' nacre run -v nonsense busybox true
refuses 125 'volume.*/no/such/source' nacre run -v /no/such/source:/x busybox true
refuses 125 'no user nobody-like-this' nacre run -u nobody-like-this busybox true
refuses 125 'does not fit 32 bits' nacre run -u 4294967296 busybox true
refuses 125 'name.*is not a name' nacre run --name '../x' busybox true
refuses 125 'unknown option --bogus' nacre run --bogus busybox true
refuses 125 'usage: nacre run' nacre run
refuses 125 'workdir.*absolute' nacre run -w relative busybox true
exits 125 nacre no-such-command
exits 125 nacre

# A data folder on a read-only file system.
mkdir "$T/readonly"
mount -t tmpfs -o ro none "$T/readonly"
NACRE_DATA_DIR=$T/readonly refuses 125 'readonly.*Read-only file system' nacre run /bin true
umount "$T/readonly"

equal "containers left" "$(nacre ps -aq)" ""
equal "folders left" "$(find "$NACRE_DATA_DIR/containers" -mindepth 1 -type d 2>/dev/null)" ""
