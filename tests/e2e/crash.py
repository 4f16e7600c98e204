"""kill -9 of random roles, and of Redis: no planted leak is missed, no alert id differs."""
import os
import random
import shutil
import signal
import sys
import time

import harness
from harness import children_of, every_backend, github_token, leak_text, wait_until

DOCUMENTS = int(os.environ.get("GUETTE_CRASH_DOCUMENTS", "2000"))
KILLS = int(os.environ.get("GUETTE_CRASH_KILLS", "50"))
EVERY = 20  # one document in so many holds a leak
RULE = "github.personal-access-token"


def drop(inbox, start, count):
    for number in range(start, start + count):
        text = leak_text(number) if number % EVERY == 0 else f"nothing to see, number {number}\n" * 20
        part = inbox.parent / "part"
        part.write_text(text)
        part.rename(inbox / f"{number:05}.txt")


def planted():
    return len(range(0, DOCUMENTS, EVERY))


def run_undisturbed(run):
    """Alert ids of a run without kills; the same key, the same documents."""
    drop(run.inbox(), 0, DOCUMENTS)
    run.write_config(sources=run.inbox_yaml(), matchers=2)
    process = run.start("run")
    wait_until(lambda: len(run.alerts_of(RULE)) == planted(), "all alerts of the calm run", 180)
    wait_until(run.drained, "an empty queue", 60)
    harness.stop(process)
    ids = set(run.alerts_of())
    run.alerts.unlink()
    shutil.rmtree(run.folder / "data")
    shutil.rmtree(run.inbox())
    return ids


def kill_one(process, rng):
    workers = list(children_of(process.pid))
    if workers:
        try:
            os.kill(rng.choice(workers), signal.SIGKILL)
        except ProcessLookupError:
            return False
    return bool(workers)


@every_backend
def test_kill_roles(run):
    calm = run_undisturbed(run)
    if run.redis:
        run.redis.kill()
        for name in os.listdir(run.folder):
            if name.startswith("appendonly"):
                shutil.rmtree(run.folder / name)
        run.redis.start()
    rng = random.Random(7)
    inbox = run.inbox()
    run.write_config(sources=run.inbox_yaml(), matchers=2)
    process = run.start("run")
    kills = restarts = 0
    dropped = 0
    while kills < KILLS:
        batch = min(DOCUMENTS // KILLS, DOCUMENTS - dropped)
        drop(inbox, dropped, batch)
        dropped += batch
        time.sleep(rng.random() * 0.3)
        kills += kill_one(process, rng)
        if run.redis and kills % 10 == 5:
            run.redis.kill()
            time.sleep(0.3)
            run.redis.start()
            restarts += 1
    drop(inbox, dropped, DOCUMENTS - dropped)
    wait_until(lambda: len(run.alerts_of(RULE)) >= planted(), f"{planted()} alerts", 240)
    wait_until(run.drained, "an empty queue", 120)
    found = run.alerts_of(RULE)
    assert len(found) == planted(), (len(found), planted())
    assert set(run.alerts_of()) == calm, "alert ids differ from those of the calm run"
    dead = run.status()["queue"]
    assert all(topic["dead"] == 0 for topic in dead.values()), dead
    lines = len(run.alert_lines())
    print(f"  {kills} kills, {restarts} Redis restarts, {dropped} documents, {len(found)} leaks, "
          f"{lines - len(set(run.alerts_of()))} repeated deliveries")
    assert github_token(0) not in run.logs()


if __name__ == "__main__":
    harness.main(sys.modules["__main__"], ("sqlite", "redis"))
