"""A file dropped into a watched folder becomes an alert, once, without the plain secret."""
import json
import sqlite3
import sys
import time

import harness
from harness import every_backend, find_secret, github_token, leak_text, stop, wait_until


@every_backend
def test_first_alert_and_next(run):
    inbox = run.inbox()
    (inbox / "first.txt").write_text(leak_text("first"))
    run.write_config(sources=run.inbox_yaml())
    process = run.start("run")
    wait_until(lambda: len(run.alerts_of("github.personal-access-token")) == 1, "the first alert")
    start = time.monotonic()
    (inbox / "second.txt").write_text(leak_text("second"))
    wait_until(lambda: len(run.alerts_of("github.personal-access-token")) == 2, "the second alert")
    print(f"  second alert after {time.monotonic() - start:.2f} s")
    code, took = stop(process)
    assert code == 0 and took < 10, (code, took)
    for seed in ("first", "second"):
        leaks = find_secret(run.folder, github_token(seed), skip=("inbox/", "queue.db", "appendonly"))
        assert leaks == [], leaks


@every_backend
def test_same_secret_twice_is_one_finding(run):
    inbox = run.inbox()
    run.write_config(sources=run.inbox_yaml())
    run.start("run")
    (inbox / "a.txt").write_text(leak_text("same"))
    wait_until(lambda: run.alerts_of("github.personal-access-token"), "the first alert")
    (inbox / "b.txt").write_text("copy of " + leak_text("same"))
    (inbox / "c.txt").write_text(leak_text("other"))
    wait_until(lambda: len(run.alerts_of("github.personal-access-token")) == 2, "the other alert")
    wait_until(run.drained, "an empty queue")
    assert len(run.alerts_of("github.personal-access-token")) == 2
    listed = run.guette("findings", "list", "--format", "json", "--config", run.config)
    assert listed.returncode == 0, listed.stderr
    assert '"occurrences":2' in listed.stdout.replace(" ", ""), listed.stdout


def test_silent_without_brand(run):
    inbox = run.inbox()
    run.write_config(sources=run.inbox_yaml())
    run.start("run")
    (inbox / "foreign.txt").write_text(leak_text("foreign", brand="other.test"))
    (inbox / "near.txt").write_text(leak_text("near", brand="notacme.example"))
    (inbox / "ours.txt").write_text(leak_text("ours"))
    wait_until(lambda: run.alerts_of("github.personal-access-token"), "our alert")
    wait_until(run.drained, "an empty queue")
    findings = run.alerts_of().values()
    assert {f["document"]["title"] for f in findings} == {"ours.txt"}, findings


def test_restart_repeats_nothing(run):
    inbox = run.inbox()
    (inbox / "one.txt").write_text(leak_text("one"))
    run.write_config(sources=run.inbox_yaml())
    process = run.start("run")
    wait_until(lambda: run.alerts_of("github.personal-access-token"), "the alert")
    wait_until(run.drained, "an empty queue")
    stop(process)
    before = len(run.alert_lines())
    run.start("run")
    (inbox / "two.txt").write_text(leak_text("two"))
    wait_until(lambda: len(run.alerts_of("github.personal-access-token")) == 2, "the new alert")
    wait_until(run.drained, "an empty queue")
    ids = [line["data"]["alert_id"] for line in run.alert_lines()]
    assert len(ids) == len(set(ids)) and len(ids) > before, ids


def test_status_shows_what_is_watched_now(run):
    """A source that was renamed is not shown with its old state, nor are control characters."""
    run.write_config(sources=run.inbox_yaml())
    process = run.start("run")
    wait_until(lambda: "inbox" in run.status().get("sources", {}), "the source's state")
    stop(process)
    with sqlite3.connect(run.folder / "data" / "queue.db") as queue:
        state = {"state": "failing", "error": "\x1b]0;owned\x07 \x1b[2J", "failures": 1}
        queue.execute("UPDATE fact SET value = ? WHERE name = 'source/inbox'",
                      (json.dumps(state).encode(),))
    shown = run.guette("status", "--config", run.config).stdout
    assert "owned" in shown and "\x1b" not in shown and "\x07" not in shown, repr(shown)
    run.config.write_text(run.config.read_text().replace("name: inbox", "name: other"))
    assert run.status()["sources"] == {}, run.status()


@every_backend
def test_more_findings_than_one_push_takes(run):
    """All findings of one document reach the queue, however many there are."""
    count = 10500
    run.write_config(sources=run.inbox_yaml().replace("type: folder", "type: folder, owner: brand"),
                     more="limits: {findings_per_document: 20000, document_time: 2m}")
    run.config.write_text(run.config.read_text().replace("lease: 2s", "lease: 2m"))
    (run.inbox() / "many.txt").write_text("".join(leak_text(n) for n in range(count)))
    run.start("crawl")
    run.start("match")
    wait_until(lambda: run.status().get("queue", {}).get("findings", {}).get("depth", 0) >= count,
               "every finding on the queue", 180)
    wait_until(lambda: run.status()["queue"]["documents"]["depth"] == 0, "the document's ack")
    assert run.status()["queue"]["documents"]["dead"] == 0


if __name__ == "__main__":
    harness.main(sys.modules["__main__"], ("sqlite", "redis"))
