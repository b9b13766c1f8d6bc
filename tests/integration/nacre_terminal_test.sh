# SPDX-License-Identifier: Apache-2.0
# -t gives a real terminal: resize and ctrl-C arrive; signals without one too.
. "$TESTS/lib.sh"

python3 - <<'PY'
import faulthandler, fcntl, os, pty, select, signal, struct, subprocess, sys, termios, time, tty

faulthandler.dump_traceback_later(200, exit=True)  # what hangs is to say where

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
os.write(master, b"tail -n +1 -f /etc/passwd\n")
until(master, b"root:")
os.write(master, b"\x03")
os.write(master, b"echo alive$((2+3))\n")
until(master, b"alive5")
os.write(master, b"exit 9\n")
if ended(pid) != 9: fail("exit code of the shell in the terminal")

# ctrl-C ends a command that is pid 1 and has no handler of its own.
# (A shell has one, even while it executes another program.)
FOR_EVER = ("tail", "-n", "+1", "-f", "/etc/passwd")
pid, master = spawn("nacre", "run", "--rm", "-it", "busybox", *FOR_EVER)
until(master, b"root:")
os.write(master, b"\x03")
if (code := ended(pid)) != 130: fail(f"ctrl-C in the terminal: exit code {code}")
pid, master = spawn("nacre", "run", "--rm", "busybox", *FOR_EVER)
until(master, b"root:")
os.write(master, b"\x03")
if (code := ended(pid)) != 130: fail(f"ctrl-C without -t: exit code {code}")
# One that handles it decides itself.
pid, master = spawn("nacre", "run", "--rm", "busybox", "sh", "-c", "trap 'echo caught; exit 4' INT; echo ready; while :; do sleep 0.1; done")
until(master, b"ready")
os.write(master, b"\x03")
until(master, b"caught")
if ended(pid) != 4: fail("a handler's exit code")

# A signal to one without a handler.
pid, master = spawn("nacre", "run", "--rm", "-t", "busybox", "sh", "-c", "stty size; echo ready; exec sleep 1000")
size(master, 40, 100)
os.kill(pid, signal.SIGWINCH)
until(master, b"ready")
os.kill(pid, signal.SIGTERM)
if (code := ended(pid)) != 143: fail(f"SIGTERM with -t: exit code {code}")

# Without -i the terminal has the size of the one it is shown on.
pid, master = pty.fork()
if pid == 0:
    time.sleep(0.3)
    os.execvp("nacre", ["nacre", "run", "--rm", "-t", "busybox", "stty", "size"])
size(master, 33, 77)
until(master, b"33 77")
if ended(pid) != 0: fail("stty size")

# A user who does not read stops what is written, not the signals.
reading, writing = os.pipe()
flood = subprocess.Popen(["nacre", "run", "--rm", "-t", "--name", "flood", "busybox", "yes"], stdin=subprocess.DEVNULL, stdout=writing)
os.close(writing)
os.read(reading, 10)
time.sleep(1)
flood.send_signal(signal.SIGTERM)
time.sleep(0.5)
flood.send_signal(signal.SIGTERM)
try:
    code = flood.wait(20)
except subprocess.TimeoutExpired:
    flood.kill()
    fail("SIGTERM does not reach a container whose output nobody reads")
if code != 143: fail(f"flooded: exit code {code}")
os.close(reading)

# One who has gone ends it, and nothing is left.
reading, writing = os.pipe()
gone = subprocess.Popen(["nacre", "run", "--rm", "-t", "busybox", "yes"], stdin=subprocess.DEVNULL, stdout=writing)
os.close(writing)
os.read(reading, 10)
os.close(reading)
if (code := gone.wait(20)) != 129: fail(f"no reader: exit code {code}")
if subprocess.run(["nacre", "ps", "-aq"], capture_output=True).stdout: fail("a container is left")
# The same without a terminal: the container itself gets SIGPIPE, which kills no pid 1.
gone = subprocess.run("nacre run --rm busybox sh -c 'trap : PIPE; echo one; sleep 1; echo two; echo three; exit 5' | head -n 1; exit ${PIPESTATUS[0]}",
                      shell=True, executable="/bin/bash", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
if gone.returncode != 5: fail(f"supervisor without a reader: exit code {gone.returncode}")

# A large paste to a program that does not read yet goes round in the end.
pid, master = spawn("nacre", "run", "--rm", "-it", "busybox", "sh", "-c", "stty raw -echo; echo ready; sleep 1; head -c 100000 | wc -c")
until(master, b"ready")
tty.setraw(master)
data = b"x" * 100000
os.set_blocking(master, False)
sent, end = 0, time.time() + 20
while sent < len(data):
    if time.time() > end: fail(f"only {sent} bytes were taken")
    try:
        sent += os.write(master, data[sent:sent + 1000])
    except BlockingIOError:
        time.sleep(0.01)
os.set_blocking(master, True)
until(master, b"100000")
if ended(pid) != 0: fail("large paste")
PY
equal "no pipe for a terminal" "$(nacre run --rm busybox sh -c 'tty || true')" "not a tty"
