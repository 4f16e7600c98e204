"""What every end-to-end scenario needs: a folder of its own, servers on loopback, the real program.

A scenario is a Python file with functions named test_*; main() runs them all, each in a fresh folder,
and ends with a line of counts. Only the standard library is used. Every credential here is made up.
"""
import contextlib
import hashlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
import zlib

GUETTE = os.environ.get("GUETTE", "guette")
ROOT = pathlib.Path(__file__).resolve().parents[2]
SERVERS = ROOT / "tests" / "servers"
SHARED = pathlib.Path(os.environ.get("GUETTE_SHARED", "/nonexistent"))
# Sanitizers and a shared machine are slow: waits are generous, and end as soon as they can.
PATIENCE = float(os.environ.get("GUETTE_PATIENCE", "60"))


# Processes whose failure ends every wait: no use to wait for a program that refused to start.
EXPECTED_ALIVE = []


class Skip(Exception):
    """The scenario cannot run here; says why."""


def need(condition, why):
    if not condition:
        raise Skip(why)


BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def github_token(seed):
    """A made-up token in GitHub's published format, its checksum right: belongs to nobody."""
    number = int.from_bytes(hashlib.sha256(f"made up {seed}".encode()).digest(), "big")
    body = ""
    for _ in range(30):
        number, digit = divmod(number, 62)
        body += BASE62[digit]
    crc = zlib.crc32(body.encode())
    check = ""
    for _ in range(6):
        crc, digit = divmod(crc, 62)
        check = BASE62[digit] + check
    return "ghp_" + body + check


def leak_text(seed, brand="acme.example"):
    """A file that a careless person of the brand might publish."""
    return f"# deploy notes {seed}\nhost = vpn.{brand}\nGITHUB_TOKEN={github_token(seed)}\n"


def wait_until(condition, what, patience=None):
    """Polls until condition() is true and returns its value; fails after `patience` seconds."""
    end = time.monotonic() + (patience or PATIENCE)
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        if any(p.poll() not in (None, 0, -signal.SIGKILL) for p in EXPECTED_ALIVE):
            raise AssertionError(f"a process ended while waiting for: {what}")
        time.sleep(0.05)
    raise AssertionError(f"waited in vain for: {what}")


def json_lines(path):
    """Whole lines only: the last one may be half written while we look."""
    try:
        text = pathlib.Path(path).read_text(errors="replace")
    except FileNotFoundError:
        return []
    return [json.loads(line) for line in text.split("\n")[:-1] if line.strip()]


class Server:
    """A server of tests/servers; it prints READY PORT once it listens."""

    def __init__(self, folder, script, *args):
        self.log = folder / f"{pathlib.Path(script).stem}-{time.monotonic_ns()}.jsonl"
        self.process = subprocess.Popen(
            [sys.executable, str(SERVERS / script), "--log", str(self.log), *map(str, args)],
            stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline().split()
        if len(line) < 2 or line[0] != "READY":
            raise AssertionError(f"{script} did not start: {line}")
        self.port = int(line[1])

    def entries(self):
        return json_lines(self.log)

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def redis_version():
    """(0,) where there is none."""
    if not shutil.which("redis-server"):
        return (0,)
    text = subprocess.run(["redis-server", "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"v=(\d+)\.(\d+)", text)
    return tuple(map(int, found.groups())) if found else (0,)


class Redis:
    """A real redis-server on a private socket, with an append-only file."""

    def __init__(self, folder, password=None, fsync="always"):
        need(redis_version() >= (6, 2), "there is no redis-server of 6.2 or later")
        self.folder, self.password, self.fsync = folder, password, fsync
        # A Unix socket's path has room for about 100 characters.
        self.socket_folder = tempfile.mkdtemp(prefix="gt-redis-", dir="/tmp")
        self.socket = self.socket_folder + "/s"
        self.process = None

    def start(self):
        args = ["redis-server", "--port", "0", "--unixsocket", self.socket, "--dir",
                str(self.folder), "--appendonly", "yes", "--appendfsync", self.fsync, "--save", "",
                "--maxmemory-policy", "noeviction", "--loglevel", "warning"]
        if self.password:
            args += ["--requirepass", self.password]
        with open(self.folder / "redis.log", "ab") as log:
            self.process = subprocess.Popen(args, stdout=log, stderr=log)
        wait_until(self.answers, "redis-server to answer")

    def answers(self):
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as s:
            s.settimeout(2)
            s.connect(self.socket)
            s.sendall(b"PING\r\n")
            reply = s.recv(64)
            return reply.startswith((b"+PONG", b"-NOAUTH"))
        return False

    def kill(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def stop(self):
        self.kill()
        shutil.rmtree(self.socket_folder, ignore_errors=True)


class Run:
    """One scenario's folder and everything started in it."""

    def __init__(self, backend="sqlite", fsync="always"):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="guette-e2e-"))
        self.backend = backend
        self.things = []
        self.processes = []
        self.redis = None
        self.config = self.folder / "guette.yaml"
        self.alerts = self.folder / "alerts.jsonl"
        self.key = self.folder / "fingerprint.key"
        self.key.write_text(hashlib.sha256(b"made up key").hexdigest() + "\n")
        self.key.chmod(0o600)
        if backend == "redis":
            self.redis = Redis(self.folder, fsync=fsync)
            self.redis.start()

    def server(self, script, *args):
        server = Server(self.folder, script, *args)
        self.things.append(server)
        return server

    def queue_yaml(self):
        if self.backend == "redis":
            return f'queue: {{type: redis, url: "unix://{self.redis.socket}", lease: 2s}}'
        return "queue: {type: sqlite, lease: 2s}"

    def write_config(self, sources="", channels="", more="", brand="acme.example", matchers=1):
        """The parts that every scenario shares; file channel `lines` is always there."""
        self.config.write_text(f"""\
contact: soc@{brand}
data: {self.folder}/data
fingerprint_key: {self.key}
brands:
  - name: Acme Corp
    domains: [{brand}]
sources:
{sources or '  []'}
channels:
  - {{name: lines, type: file, path: {self.alerts}}}
{channels}
{self.queue_yaml()}
workers: {{crawlers: 1, matchers: {matchers}, notifiers: 1, drain: 5s}}
log: {{format: json}}
{more}
""")

    def inbox(self):
        folder = self.folder / "inbox"
        folder.mkdir(exist_ok=True)
        return folder

    def inbox_yaml(self, interval="1s"):
        return f"  - {{name: inbox, type: folder, path: {self.inbox()}, interval: {interval}}}\n"

    def guette(self, *args, **options):
        """Runs a command to its end."""
        options.setdefault("timeout", 120)
        return subprocess.run([GUETTE, *map(str, args)], capture_output=True, text=True,
                              cwd=self.folder, errors="replace", check=False, **options)

    def start(self, *args, may_fail=False):
        """Starts a command that goes on (run, crawl, match, notify)."""
        name = "-".join(str(a).strip("-") for a in args[:1])
        log = self.folder / f"{name}-{len(self.processes)}.log"
        with open(log, "wb") as out:
            process = subprocess.Popen([GUETTE, *map(str, args), "--config", str(self.config)],
                                       stdout=out, stderr=subprocess.STDOUT, cwd=self.folder,
                                       start_new_session=True)
        process.log = log
        self.processes.append(process)
        if not may_fail:
            EXPECTED_ALIVE.append(process)
        return process

    def logs(self):
        return "".join(p.log.read_text(errors="replace") for p in self.processes)

    def wait_log(self, event, count=1, patience=None):
        return wait_until(lambda: self.logs().count(f'"event":"{event}"') >= count,
                          f"{count} x {event} in the log", patience)

    def alert_lines(self):
        return json_lines(self.alerts)

    def alerts_of(self, rule=None):
        """Alert ids to finding, of the file channel."""
        found = {}
        for line in self.alert_lines():
            finding = line["data"]["finding"]
            if rule is None or finding["rule"] == rule:
                found.setdefault(line["data"]["alert_id"], finding)
        return found

    def status(self):
        done = self.guette("status", "--config", self.config, "--format", "json")
        return json.loads(done.stdout) if done.returncode == 0 else {}

    def drained(self):
        queue = self.status().get("queue", {})
        return queue and all(t["depth"] == 0 for t in queue.values())

    def close(self, keep):
        EXPECTED_ALIVE.clear()
        for process in self.processes:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        for thing in self.things:
            thing.stop()
        if self.redis:
            self.redis.stop()
        if not keep:
            shutil.rmtree(self.folder, ignore_errors=True)


def children_of(pid):
    """Pids and command lines of the supervisor's workers."""
    found = {}
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError, IndexError):
            stat = (entry / "stat").read_text()
            if int(stat.rsplit(")", 1)[1].split()[1]) == pid:
                words = (entry / "cmdline").read_bytes().split(b"\0")
                found[int(entry.name)] = [w.decode() for w in words]
    return found


def stop(process, patience=12):
    """SIGTERM; returns the exit code and how long it took."""
    start = time.monotonic()
    process.send_signal(signal.SIGTERM)
    return process.wait(timeout=patience), time.monotonic() - start


def find_secret(folder, secret, skip=()):
    """Files below folder that hold the secret's bytes in clear."""
    needle = secret.encode()
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not any(part in str(path) for part in skip):
            with contextlib.suppress(OSError):
                if needle in path.read_bytes():
                    found.append(str(path.relative_to(folder)))
    return found


def main(module, backends=("sqlite",)):
    """Runs every test_* of the module over the back-ends named on the command line, or all."""
    chosen = [a for a in sys.argv[1:] if a in backends] or list(backends)
    only = [a for a in sys.argv[1:] if a not in backends]
    passed = failed = skipped = 0
    for name, test in sorted(vars(module).items()):
        if not re.match("test_", name) or (only and name not in only):
            continue
        for backend in chosen if getattr(test, "every_backend", False) else chosen[:1]:
            run = None
            start = time.monotonic()
            try:
                run = Run(backend)
                test(run)
                verdict, passed = "ok", passed + 1
            except Skip as why:
                verdict, skipped = f"SKIP: {why}", skipped + 1
            except Exception:  # noqa: BLE001 - whatever it was, the next scenario still runs
                traceback.print_exc()
                verdict, failed = "FAILED", failed + 1
                if run:
                    print(run.logs()[-6000:])
                    print(f"kept: {run.folder}")
            finally:
                if run:
                    run.close(keep=verdict == "FAILED")
            print(f"{name} [{backend}] {time.monotonic() - start:.1f}s: {verdict}", flush=True)
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    sys.exit(1 if failed else 77 if skipped and not passed else 0)


def every_backend(test):
    test.every_backend = True
    return test
