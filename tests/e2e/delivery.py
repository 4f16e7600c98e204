"""Receivers that fail: hang, answer 500, ask for patience, say they are gone, refuse a mail."""
import email
import email.policy
import json
import sys

import harness
from harness import every_backend, find_secret, github_token, leak_text, stop, wait_until

SECRET = "whsec_bWFkZSB1cCBmb3IgdGhlIHRlc3RzIG9ubHk="  # base64 of "made up for the tests only"
HUB_SECRET = "also made up, and long enough"
RULE = "github.personal-access-token"


def webhook(port, name="hook", more=""):
    return (f'  - {{name: {name}, type: webhook, url: "http://127.0.0.1:{port}/in/token-in-path", '
            f'secret: "{SECRET}", hub_secret: "{HUB_SECRET}", allow_private: true{more}}}\n')


def mail(port, more=""):
    return (f'  - {{name: mail, type: email, server: "smtp://127.0.0.1:{port}", starttls: never, '
            f'from: guette@acme.example, to: [soc@acme.example]{more}}}\n')


def receiver(run, script="200"):
    return run.server("receiver.py", "--secret", SECRET, "--hub-secret", HUB_SECRET, "--script", script)


def accepted(server):
    return [e for e in server.entries() if e["status"] == "200"]


def alert_ids(server):
    """Of the planted tokens, as often as they were accepted."""
    data = [json.loads(e["body"])["data"] for e in accepted(server)]
    return [d["alert_id"] for d in data if d["finding"]["rule"] == RULE]


def mails(server):
    return [e for e in server.entries() if e["event"] == "message"]


@every_backend
def test_webhook_and_mail(run):
    hook, smtp = receiver(run), run.server("smtpd.py")
    run.write_config(sources=run.inbox_yaml(), channels=webhook(hook.port) + mail(smtp.port))
    run.start("run")
    for number in range(3):
        (run.inbox() / f"{number}.txt").write_text(leak_text(number))
    wait_until(lambda: len(set(alert_ids(hook))) == 3, "three webhook calls")
    wait_until(lambda: len(mails(smtp)) >= len(accepted(hook)), "the mails")
    wait_until(lambda: run.status()["store"]["deliveries_pending"] == 0, "nothing pending")
    assert all(e["standard"] and e["hub"] for e in hook.entries()), hook.entries()
    assert len(alert_ids(hook)) == len(set(alert_ids(hook))) == 3
    messages = [email.message_from_string(e["data"], policy=email.policy.default)
                for e in mails(smtp)]
    assert len({m["Message-ID"] for m in messages}) == len(messages)
    for message in messages:
        assert message["Auto-Submitted"] == "auto-generated", message["Auto-Submitted"]
        kinds = [part.get_content_type() for part in message.walk()]
        assert kinds == ["multipart/alternative", "text/plain", "text/html"], kinds
    leaks = find_secret(run.folder, github_token(0), skip=("inbox/", "queue.db", "appendonly"))
    assert leaks == [], leaks


def test_500_for_a_while_then_delivered(run):
    hook = receiver(run, "500*3,200")
    run.write_config(sources=run.inbox_yaml(), channels=webhook(hook.port))
    run.start("run")
    (run.inbox() / "a.txt").write_text(leak_text("a"))
    wait_until(lambda: alert_ids(hook), "the delivery after failures", 120)
    failed = [e for e in hook.entries() if e["status"] == "500"]
    assert len(failed) == 3, len(failed)
    wait_until(lambda: {e["id"] for e in failed} <= {e["id"] for e in accepted(hook)},
               "each refused message under the id it had before", 120)


def test_hanging_receiver_and_a_stop(run):
    """A stop does not wait for the receiver for ever, and the next start does not wait for a lease."""
    hook = receiver(run, "hang*100")
    run.write_config(sources=run.inbox_yaml(), channels=webhook(hook.port, more=", timeout: 60s"))
    process = run.start("run")
    (run.inbox() / "a.txt").write_text(leak_text("a"))
    wait_until(hook.entries, "the receiver to be asked")
    code, took = stop(process)
    assert code == 0 and took < 10, (code, took)
    good = receiver(run)
    run.config.write_text(run.config.read_text().replace(f":{hook.port}/", f":{good.port}/"))
    run.start("run")
    wait_until(lambda: alert_ids(good), "the delivery after the restart")


def test_deliveries_go_on_without_the_queue(run):
    redis = harness.Redis(run.folder)
    run.things.append(redis)
    redis.start()
    run.redis, run.backend = redis, "redis"
    hook = receiver(run, "429:8*100")
    run.write_config(sources=run.inbox_yaml(), channels=webhook(hook.port))
    run.start("run")
    (run.inbox() / "a.txt").write_text(leak_text("a"))
    wait_until(hook.entries, "the first try")
    redis.kill()
    asked = len(hook.entries())
    wait_until(lambda: len(hook.entries()) > asked + 1, "further tries while Redis is away", 120)


def test_one_receiver_hangs_others_do_not_wait(run):
    hanging, good = receiver(run, "hang*1000"), receiver(run)
    run.write_config(sources=run.inbox_yaml(),
                     channels=webhook(hanging.port, "hanging") + webhook(good.port, "good"))
    run.start("run")
    for number in range(12):
        (run.inbox() / f"{number}.txt").write_text(leak_text(number))
    wait_until(lambda: len(set(alert_ids(good))) == 12, "all alerts at the good receiver", 20)
    assert alert_ids(hanging) == []
    assert run.status()["store"]["deliveries_pending"] >= 12


def test_410_disables_and_retry_enables(run):
    hook = receiver(run, "410,200")
    run.write_config(sources=run.inbox_yaml(), channels=webhook(hook.port))
    run.start("run")
    (run.inbox() / "a.txt").write_text(leak_text("a"))
    run.wait_log("channel.disabled")
    (run.inbox() / "b.txt").write_text(leak_text("b"))
    wait_until(lambda: len(run.alerts_of(RULE)) == 2, "the second alert in the file")
    wait_until(run.drained, "an empty queue")
    assert len(hook.entries()) == 1, "a disabled channel is not called"
    listed = run.guette("deliveries", "list", "--state", "dead", "--config", run.config)
    assert "410" in listed.stdout and "token-in-path" not in listed.stdout, listed.stdout
    again = run.guette("deliveries", "retry", "--all", "--config", run.config)
    assert again.returncode == 0, again.stderr
    wait_until(lambda: len(set(alert_ids(hook))) == 2, "both alerts after the retry")


def test_mail_server_refuses_then_accepts(run):
    smtp = run.server("smtpd.py", "--answer", "RCPT=451 4.3.0 Try again later*2")
    run.write_config(sources=run.inbox_yaml(), channels=mail(smtp.port))
    run.start("run")
    (run.inbox() / "a.txt").write_text(leak_text("a"))
    wait_until(lambda: mails(smtp), "the mail", 120)


def test_nobody_listens(run):
    run.write_config(sources=run.inbox_yaml(), channels=webhook(9))
    run.start("run")
    (run.inbox() / "a.txt").write_text(leak_text("a"))
    run.wait_log("delivery.retry")
    listed = run.guette("deliveries", "list", "--config", run.config)
    assert "pending" in listed.stdout, listed.stdout
    assert "token-in-path" not in run.logs() + listed.stdout, "a webhook's URL is a secret"


if __name__ == "__main__":
    harness.main(sys.modules["__main__"], ("sqlite", "redis"))
