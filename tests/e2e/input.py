"""Bad input from people and from the world: wrong files, binary documents, huge lines, full disks."""
import os
import subprocess
import sys

import harness
from harness import github_token, leak_text, need, wait_until

RULE = "github.personal-access-token"


def test_init_then_check(run):
    home = run.folder / "fresh"
    home.mkdir()
    done = run.guette("init", "acme.example", "--name", "Acme Corp", "--email", "soc@acme.example",
                      "--dir", home)
    assert done.returncode == 0, done.stderr
    checked = run.guette("config", "check", home / "guette.yaml")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    keys = [p for p in home.rglob("*key*") if p.is_file()]
    assert keys and all(p.stat().st_mode & 0o077 == 0 for p in keys), keys
    again = run.guette("init", "acme.example", "--dir", home)
    assert again.returncode != 0, "an existing configuration is not overwritten"


def test_every_mistake_is_reported_at_once(run):
    run.config.write_text("""\
contact: soc@acme.example
brands:
  - name: Acme
    domains: [acme.example, acme_corp]
    keywrds: [acme]
sources:
  - {name: a, type: folder, path: x, interval: soon}
  - {name: b, type: fedd, url: "https://acme.example/feed"}
routes:
  - {channels: [nobody]}
nonsense: 1
""")
    done = run.guette("config", "check", run.config)
    text = done.stdout + done.stderr
    assert done.returncode == 1, text
    for words in ('guette.yaml:4:29: brands[0].domains[1]: "acme_corp" is not a domain name',
                  'keywords', 'interval', 'feed', 'nobody', 'nonsense'):
        assert words in text, (words, text)


def test_environment_and_secret_files(run):
    (run.folder / "hook").write_text("https://hooks.acme.example/made-up-path\n")
    run.write_config(channels='  - {name: hook, type: webhook, url: "file:hook"}\n'
                              '  - {name: two, type: webhook, url: "${HOOK_URL}"}\n')
    missing = run.guette("config", "check", run.config)
    assert missing.returncode == 1 and "HOOK_URL" in missing.stdout + missing.stderr
    environment = dict(os.environ, HOOK_URL="https://hooks.acme.example/other-made-up")
    done = run.guette("config", "check", run.config, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "made-up" not in done.stdout + done.stderr


def test_documents_of_every_shape(run):
    inbox = run.inbox()
    secret = leak_text("deep")
    (inbox / "binary.bin").write_bytes(bytes(range(256)) * 4000 + secret.encode() + b"\0" * 100)
    (inbox / "invalid.txt").write_bytes(b"\xff\xfe\xfa\xc0\xaf" * 50 + leak_text("invalid").encode() + b"\xed\xa0\x80")
    (inbox / "empty.txt").write_bytes(b"")
    (inbox / "name\nwith\tcontrols\x1b[31m.txt").write_text(leak_text("controls"))
    (inbox / "line.txt").write_bytes(b"x" * 6_000_000 + b" " + leak_text("line").encode())
    os.mkfifo(inbox / "pipe")
    os.symlink("/etc/passwd", inbox / "link")
    run.write_config(sources=run.inbox_yaml())
    run.start("run")
    wait_until(lambda: len(run.alerts_of(RULE)) == 4, "four alerts", 90)
    wait_until(run.drained, "an empty queue")
    text = run.alerts.read_text()
    assert "\x1b" not in text
    assert "/etc/passwd" not in text


def test_hundred_megabyte_line(run):
    """Longer than limits.document_bytes: judged up to there, and said."""
    with open(run.inbox() / "long.txt", "wb") as out:
        out.write(leak_text("start").encode())
        for _ in range(100):
            out.write(b"a1B2" * 250_000)
    run.write_config(sources=run.inbox_yaml().replace("}", ", max_size: 128MiB}"))
    run.start("run")
    wait_until(lambda: run.alerts_of(RULE), "the alert", 120)
    wait_until(run.drained, "an empty queue", 60)


def test_catastrophic_rule(run):
    rules = run.folder / "rules"
    rules.mkdir()
    (rules / "slow.yaml").write_text("""\
provider: Slow
home: https://slow.example
rules:
  - id: slow.catastrophe
    name: {en: Slow, fr: Lent}
    category: credential
    severity: low
    confidence: possible
    keywords: [slowslow]
    regex: 'slowslow((a+)+)+$'
    revoke: {en: none, fr: rien}
    reference: https://slow.example
    examples: ['slowslowaaa']
    negative_examples: ['slow']
""")
    (run.inbox() / "bait.txt").write_text(("slowslow" + "a" * 5000 + "!\n") * 50 + leak_text("after"))
    run.write_config(sources=run.inbox_yaml(), more=f"rules: [{rules}]")
    run.start("run")
    wait_until(lambda: run.alerts_of(RULE), "the alert behind the bait", 90)
    wait_until(run.drained, "an empty queue")


def test_missing_folder_is_reported(run):
    run.write_config(sources="  - {name: gone, type: folder, path: /nonexistent/folder, interval: 1s}\n"
                     + run.inbox_yaml())
    run.start("run")
    (run.inbox() / "a.txt").write_text(leak_text("a"))
    wait_until(lambda: run.alerts_of(RULE), "the other source goes on")
    run.wait_log("source.failed")
    assert "/nonexistent/folder" in run.logs()
    assert "gone" in run.guette("status", "--config", run.config).stdout


def test_full_disk(run):
    """The queue's file system fills up: the crawler pauses, and goes on when there is room again."""
    small = run.folder / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", str(small)],
                             capture_output=True, check=False)
    need(mounted.returncode == 0, "no right to mount a small file system")
    try:
        run.write_config(sources=run.inbox_yaml())
        run.config.write_text(run.config.read_text().replace(f"data: {run.folder}/data", f"data: {small}"))
        filler = small / "filler"
        filler.write_bytes(os.urandom(22_000_000))
        for number in range(200):
            (run.inbox() / f"{number}.txt").write_bytes(leak_text(number).encode() + os.urandom(90_000).hex().encode())
        crawler = run.start("crawl")
        run.wait_log("worker.ready")
        wait_until(lambda: "full" in run.logs(), "the full disk to be reported")
        filler.unlink()
        run.start("match")
        run.start("notify")
        wait_until(lambda: len(run.alerts_of(RULE)) == 200, "every alert", 120)
        assert crawler.poll() is None
    finally:
        for process in run.processes:
            process.kill()
            process.wait()
        subprocess.run(["umount", "-l", str(small)], check=False)


def test_scan(run):
    clean, dirty = run.folder / "clean.txt", run.folder / "dirty.txt"
    clean.write_text("nothing here\n")
    dirty.write_text(leak_text("scan"))
    assert run.guette("scan", clean).returncode == 0
    found = run.guette("scan", "--format", "jsonl", dirty)
    assert found.returncode == 1, found.stderr
    lines = harness.json.loads(found.stdout.splitlines()[0])
    assert lines["rule"] == RULE and lines["line"] == 3, lines
    assert github_token("scan") not in found.stdout + found.stderr
    assert run.guette("scan", run.folder / "missing").returncode == 2
    assert run.guette("scan").returncode == 2
    piped = run.guette("scan", "-", input=leak_text("pipe"))
    assert piped.returncode == 1 and github_token("pipe") not in piped.stdout


def test_wrong_commands(run):
    typo = run.guette("stats")
    assert typo.returncode == 2 and "status" in typo.stderr, typo.stderr
    assert run.guette().returncode == 2
    assert run.guette("status").returncode == 1, "no configuration here"
    assert "guette init" in run.guette("status").stderr


if __name__ == "__main__":
    harness.main(sys.modules["__main__"])
