# SPDX-License-Identifier: Apache-2.0
# -t gives a real terminal: resize and ctrl-C arrive; signals without one too.
. "$TESTS/lib.sh"

python3 - <<'PY'
import fcntl, os, pty, select, signal, struct, sys, termios, time

def fail(text):
    print("FAIL:", text); sys.exit(1)

def spawn(*argv):
    pid, master = pty.fork()
    if pid == 0:
        os.execvp(argv[0], argv)
    return pid, master

def until(master, wanted, seconds=20):
    seen, end = b"", time.time() + seconds
    while wanted not in seen:
        ready, _, _ = select.select([master], [], [], max(0, end - time.time()))
        if not ready:
            fail(f"waited for {wanted!r}, saw {seen!r}")
        try:
            chunk = os.read(master, 4096)
        except OSError:
            chunk = b""
        if not chunk:
            fail(f"ended before {wanted!r}: {seen!r}")
        seen += chunk
    return seen

def size(master, rows, columns):
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

def ended(pid):
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

pid, master = spawn("nacre", "run", "--rm", "-it", "busybox", "sh")
size(master, 41, 101)
os.kill(pid, signal.SIGWINCH)
until(master, b"# ")
os.write(master, b"tty; stty size; echo mark$((40+2))\n")
seen = until(master, b"mark42")
if b"/dev/pts/" not in seen and b"/dev/console" not in seen: fail(f"no terminal inside: {seen!r}")
if b"41 101" not in seen: fail(f"window size did not arrive: {seen!r}")
size(master, 50, 120)
os.kill(pid, signal.SIGWINCH)
time.sleep(0.3)
os.write(master, b"stty size; echo again$((1+1))\n")
if b"50 120" not in until(master, b"again2"): fail("resize did not arrive")
os.write(master, b"sleep 1000\n")
time.sleep(0.5)
os.write(master, b"\x03")
os.write(master, b"echo alive$((2+3))\n")
until(master, b"alive5")
os.write(master, b"exit 9\n")
if ended(pid) != 9: fail("exit code of the shell in the terminal")

# ctrl-C ends a command that is pid 1 and has no handler of its own.
pid, master = spawn("nacre", "run", "--rm", "-it", "busybox", "sleep", "1000")
time.sleep(1.5)
os.write(master, b"\x03")
if (code := ended(pid)) != 130: fail(f"ctrl-C in the terminal: exit code {code}")
pid, master = spawn("nacre", "run", "--rm", "busybox", "sleep", "1000")
time.sleep(1.5)
os.write(master, b"\x03")
if (code := ended(pid)) != 130: fail(f"ctrl-C without -t: exit code {code}")
# One that handles it decides itself.
pid, master = spawn("nacre", "run", "--rm", "busybox", "sh", "-c", "trap 'echo caught; exit 4' INT; echo ready; while :; do sleep 0.1; done")
until(master, b"ready")
os.write(master, b"\x03")
until(master, b"caught")
if ended(pid) != 4: fail("a handler's exit code")
PY
equal "no pipe for a terminal" "$(nacre run --rm busybox sh -c 'tty || true')" "not a tty"
