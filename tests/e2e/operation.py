"""What an operator does and meets: stop, reload, wrong keys, a Redis that is away, health pages."""
import http.server
import json
import os
import pathlib
import re
import signal
import sqlite3
import sys
import threading
import time
import urllib.request

import harness
from harness import children_of, every_backend, leak_text, stop, wait_until

RULE = "github.personal-access-token"


def get(url):
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as answer:
        return answer.code, answer.read().decode()


@every_backend
def test_sigterm_drains(run):
    for number in range(300):
        (run.inbox() / f"{number}.txt").write_text(leak_text(number))
    run.write_config(sources=run.inbox_yaml())
    process = run.start("run")
    wait_until(lambda: len(run.alerts_of()) > 3, "work in progress")
    code, took = stop(process)
    assert code == 0 and took < 10, (code, took)
    queue = run.status()["queue"]
    assert all(topic["leased"] == 0 for topic in queue.values()), f"leases are released: {queue}"
    run.start("run")
    wait_until(lambda: len(run.alerts_of(RULE)) == 300, "the rest after the restart", 120)


def test_hanging_redis_does_not_keep_it_from_stopping(run):
    redis = harness.Redis(run.folder)
    run.things.append(redis)
    redis.start()
    run.redis, run.backend = redis, "redis"
    run.write_config(sources=run.inbox_yaml())
    alone, both = run.start("match", "--slot", "9"), run.start("run")
    run.wait_log("worker.ready", 4)
    workers = children_of(both.pid)
    os.kill(redis.process.pid, signal.SIGSTOP)
    time.sleep(1)
    for process in (alone, both):
        code, took = stop(process)
        assert code == 0 and took < 10, (code, took)
    assert '"event":"run.kill"' not in run.logs(), "workers end by themselves"
    assert not any(pathlib.Path(f"/proc/{p}").exists() for p in workers)
    os.kill(redis.process.pid, signal.SIGCONT)


def test_roles_alone(run):
    """As in containers: each role its own process, joined by the queue alone."""
    run.write_config(sources=run.inbox_yaml())
    roles = [run.start(role) for role in ("crawl", "match", "notify")]
    (run.inbox() / "a.txt").write_text(leak_text("a"))
    wait_until(lambda: run.alerts_of(RULE), "the alert")
    for role in roles:
        code, took = stop(role)
        assert code == 0 and took < 10, (code, took)


@every_backend
def test_reload(run):
    run.write_config(sources=run.inbox_yaml())
    process = run.start("run")
    run.wait_log("worker.ready", 3)
    good = run.config.read_text()
    run.config.write_text(good.replace("brands:", "brandz:"))
    process.send_signal(signal.SIGHUP)
    run.wait_log("config.kept")
    assert "did you mean" in run.logs() and "brands" in run.logs()
    (run.inbox() / "a.txt").write_text(leak_text("a"))
    wait_until(lambda: run.alerts_of(RULE), "an alert under the old configuration")
    run.config.write_text(good.replace("domains: [acme.example]", "domains: [acme.example, acme.test]"))
    process.send_signal(signal.SIGHUP)
    run.wait_log("config.reloaded", 3)
    (run.inbox() / "b.txt").write_text(leak_text("b", brand="acme.test"))
    wait_until(lambda: len(run.alerts_of(RULE)) == 2, "an alert under the new configuration")
    assert '"event":"run.restart"' not in run.logs(), "no worker died of it"


class SlowReceiver(http.server.BaseHTTPRequestHandler):
    """Takes the alert, and answers 200 when it may."""
    began, may_answer = threading.Event(), threading.Event()

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.began.set()
        self.may_answer.wait(60)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def test_channel_removed_while_its_receiver_answers(run):
    """The answer still counts: what was delivered is not tried again, nor called dead."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), SlowReceiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    hook = (f'  - {{name: hook, type: webhook, allow_private: true, timeout: 60s, '
            f'url: "http://127.0.0.1:{server.server_port}/in"}}\n')
    run.write_config(sources=run.inbox_yaml(), channels=hook)
    process = run.start("run")
    run.wait_log("worker.ready", 3)
    (run.inbox() / "a.txt").write_text(leak_text("a"))
    assert SlowReceiver.began.wait(60)
    run.config.write_text(run.config.read_text().replace(hook, ""))
    process.send_signal(signal.SIGHUP)
    run.wait_log("config.reloaded", 3)
    SlowReceiver.may_answer.set()
    wait_until(lambda: run.status()["store"]["deliveries_pending"] == 0, "nothing pending")
    assert run.status()["store"]["deliveries_dead"] == 0
    server.shutdown()


@every_backend
def test_other_key_is_refused(run):
    run.write_config(sources=run.inbox_yaml())
    first = run.start("match")
    run.wait_log("worker.ready")
    run.key.write_text("11" * 32 + "\n")
    second = run.start("match", "--slot", "2", may_fail=True)
    assert second.wait(timeout=30) == 1
    text = second.log.read_text()
    assert "fingerprint key" in text and "11" * 32 not in text, text
    assert first.poll() is None


def test_key_open_to_others_is_refused(run):
    run.write_config(sources=run.inbox_yaml())
    run.key.chmod(0o644)
    process = run.start("match", may_fail=True)
    assert process.wait(timeout=30) == 1
    assert "chmod 600" in process.log.read_text()


def test_health_pages(run):
    run.write_config(sources=run.inbox_yaml(), more='health: {listen: "127.0.0.1:0"}')
    run.start("run")
    run.wait_log("health.listening", 3)
    ports = [int(p) for p in re.findall(r'"port":(\d+)', run.logs())]
    run.wait_log("worker.ready", 3)
    (run.inbox() / "a.txt").write_text(leak_text("a"))
    wait_until(lambda: run.alerts_of(RULE), "the alert")
    pages = ""
    for port in ports:
        assert get(f"http://127.0.0.1:{port}/healthz")[0] == 200
        assert get(f"http://127.0.0.1:{port}/readyz")[0] == 200
        assert get(f"http://127.0.0.1:{port}/other")[0] == 404
        status, text = get(f"http://127.0.0.1:{port}/metrics")
        assert status == 200
        pages += text
    for line in pages.splitlines():
        assert re.match(r'(# (HELP|TYPE) guette_\w+ .+|guette_\w+(\{[^}]*\})? [-+.\deinfa]+)$', line), line
    assert "guette_match_documents_total 1" in pages, pages
    healthy = run.guette("health", f"http://127.0.0.1:{ports[0]}/readyz")
    assert healthy.returncode == 0, healthy.stderr
    assert run.guette("health", "http://127.0.0.1:9/healthz").returncode == 1


def test_redis_is_not_there_yet(run):
    redis = harness.Redis(run.folder)
    run.things.append(redis)
    run.redis, run.backend = redis, "redis"
    run.write_config(sources=run.inbox_yaml())
    run.start("run")
    (run.inbox() / "a.txt").write_text(leak_text("a"))
    run.wait_log("queue.unreachable", 3)
    redis.start()
    wait_until(lambda: run.alerts_of(RULE), "the alert once Redis is there")
    redis.kill()
    (run.inbox() / "b.txt").write_text(leak_text("b"))
    time.sleep(1)
    redis.start()
    wait_until(lambda: len(run.alerts_of(RULE)) == 2, "the alert after Redis came back")
    for role in ("match", "notify"):
        wait_until(lambda: f'"role":"{role}"' in "".join(
            line for line in run.logs().splitlines() if "worker.recovered" in line),
            f"{role} to say that the trouble is over")
    run.wait_log("worker.recovered")


def test_redis_asks_for_a_password(run):
    redis = harness.Redis(run.folder, password="made-up-password")
    run.things.append(redis)
    redis.start()
    run.redis, run.backend = redis, "redis"
    run.write_config(sources=run.inbox_yaml())
    process = run.start("match", may_fail=True)
    assert process.wait(timeout=30) == 1
    assert "password" in process.log.read_text()
    (run.folder / "redis-password").write_text("made-up-password\n")
    text = run.config.read_text().replace("type: redis,", "type: redis, password: file:redis-password,")
    run.config.write_text(text)
    run.start("run")
    (run.inbox() / "a.txt").write_text(leak_text("a"))
    wait_until(lambda: run.alerts_of(RULE), "the alert with the password")
    assert "made-up-password" not in run.logs()


def test_dead_worker_is_restarted(run):
    run.write_config(sources=run.inbox_yaml())
    process = run.start("run")
    run.wait_log("worker.ready", 3)
    before = children_of(process.pid)
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    run.wait_log("run.restart", 3)
    run.wait_log("worker.ready", 6)
    assert not set(before) & set(children_of(process.pid))
    status = run.guette("status", "--config", run.config)
    assert status.returncode == 0 and "inbox" in status.stdout, status.stdout


def test_supervisor_killed_leaves_nobody(run):
    run.write_config(sources=run.inbox_yaml())
    process = run.start("run")
    run.wait_log("worker.ready", 3)
    workers = list(children_of(process.pid))
    process.kill()
    process.wait()
    wait_until(lambda: not any(pathlib.Path(f"/proc/{p}").exists() for p in workers),
               "the workers to end with their supervisor", 20)


def test_poison_document_is_buried(run):
    """A document that kills its matcher goes to the dead letters, its neighbours do not."""
    run.write_config(sources=run.inbox_yaml(), more="")
    text = run.config.read_text().replace("lease: 2s", "lease: 1s, max_deliveries: 2")
    run.config.write_text(text)
    crawler = run.start("crawl")
    for number in range(5):
        (run.inbox() / f"{number}.txt").write_text(leak_text(number))
    wait_until(lambda: run.status().get("queue", {}).get("documents", {}).get("depth") == 5, "5 documents")
    stop(crawler)
    # Stopped matchers hold their leases until these end: as good as dead ones.
    for slot in (1, 2, 3):
        process = run.start("match", "--slot", slot)
        run.wait_log("worker.ready", slot + 1)
        process.kill()
        process.wait()
    run.start("match", "--slot", "4")
    run.start("notify")
    wait_until(run.drained, "an empty queue")
    dead = run.status()["queue"]["documents"]["dead"]
    if dead:
        listed = run.guette("queue", "dead", "documents", "--config", run.config)
        assert "deliveries" in listed.stdout and "ghp_" not in listed.stdout, listed.stdout
        assert run.guette("queue", "replay", "documents", "--all", "--config", run.config).returncode == 0
    wait_until(lambda: len(run.alerts_of(RULE)) == 5, "every alert in the end")


def test_damaged_store_costs_no_finding(run):
    """It is the store that is wrong: findings wait on the queue and are not buried."""
    run.write_config(sources=run.inbox_yaml())
    process = run.start("run")
    (run.inbox() / "a.txt").write_text(leak_text("a"))
    wait_until(lambda: run.alerts_of(RULE) and run.drained(), "the first alert")
    stop(process)
    store = run.folder / "data" / "guette.db"
    with sqlite3.connect(store) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        size = database.execute("PRAGMA page_size").fetchone()[0]
        page = database.execute("SELECT rootpage FROM sqlite_master WHERE name = 'findings'").fetchone()[0]
    database.close()
    whole = store.read_bytes()
    with open(store, "r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
    process = run.start("run")
    (run.inbox() / "b.txt").write_text(leak_text("b"))
    run.wait_log("worker.trouble")
    time.sleep(2)  # several further tries
    findings = run.status()["queue"]["findings"]
    assert findings["dead"] == 0 and findings["depth"] > 0, findings
    stop(process)
    for rest in store.parent.glob("guette.db-*"):
        rest.unlink()
    store.write_bytes(whole)
    run.start("run")
    wait_until(lambda: len(run.alerts_of(RULE)) == 2, "the alert once the store is restored")


@every_backend
def test_secret_in_a_name_goes_nowhere(run):
    """A token as a file's name stays out of everything but the queue and the inbox itself."""
    token = harness.github_token("name")
    run.write_config(sources=run.inbox_yaml())
    run.start("run")
    (run.inbox() / f"{token}.txt").write_text(leak_text("name"))
    wait_until(lambda: run.alerts_of(RULE) and run.drained(), "the alert")
    assert harness.find_secret(run.folder, token, skip=("inbox/", "queue.db", "appendonly")) == []
    assert token not in json.dumps(run.status())


def test_files_are_nobody_elses(run):
    run.write_config(sources=run.inbox_yaml())
    os.umask(0)
    run.start("run")
    os.umask(0o022)
    (run.inbox() / "a.txt").write_text(leak_text("a"))
    wait_until(lambda: run.alerts_of(RULE), "the alert")
    data = run.folder / "data"
    open_to_others = [str(p) for p in [data, run.alerts, *data.rglob("*")] if p.stat().st_mode & 0o077]
    folders = [str(p) for p in data.rglob("*") if p.is_dir()]
    assert not set(open_to_others) - set(folders), open_to_others
    assert data.stat().st_mode & 0o777 == 0o700


def test_a_second_run_on_the_same_data_is_refused(run):
    run.write_config(sources=run.inbox_yaml())
    first = run.start("run")
    run.wait_log("worker.ready", 3)
    second = run.start("run", may_fail=True)
    assert second.wait(timeout=30) == 1
    assert "another guette run" in second.log.read_text(), second.log.read_text()
    first.kill()  # its lock goes with it
    first.wait()
    run.start("run")
    run.wait_log("worker.ready", 6)


def test_run_ends_when_a_worker_can_never_start(run):
    run.write_config(sources=run.inbox_yaml())
    run.key.unlink()
    process = run.start("run", may_fail=True)
    assert process.wait(timeout=30) == 1
    text = process.log.read_text()
    assert "guette init" in text and "run.hopeless" in text, text
    assert "run.restart" not in text, text


if __name__ == "__main__":
    harness.main(sys.modules["__main__"], ("sqlite", "redis"))
