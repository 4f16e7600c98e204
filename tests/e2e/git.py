"""guette scan --git: what is found in a history, whose it is, and what a hostile repository cannot do."""
import base64
import contextlib
import gzip
import hashlib
import io
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import zipfile
import zlib

import harness
from harness import github_token, need

RULE = "github.personal-access-token"
BASE = 1_700_000_000  # every repository here begins then


class Repository:
    """Real git, nobody's configuration, fixed people and times."""

    def __init__(self, path, *options):
        self.path = pathlib.Path(path)
        self.clock = BASE
        need(shutil.which("git"), "there is no git")
        self.git("init", "-q", "-b", "main", *options, str(self.path), at=None)

    def git(self, *arguments, at="", check=True, **options):
        environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1",
                       "GIT_AUTHOR_NAME": "Ada Example", "GIT_AUTHOR_EMAIL": "ada@acme.example",
                       "GIT_COMMITTER_NAME": "Ada Example", "GIT_COMMITTER_EMAIL": "ada@acme.example",
                       "GIT_AUTHOR_DATE": f"{self.clock} +0130", "GIT_COMMITTER_DATE": f"{self.clock} +0130"}
        where = [] if at is None else ["-C", str(self.path)]
        settings = ["-c", "protocol.file.allow=always", "-c", "gc.auto=0", "-c", "advice.nestedTag=false"]
        done = subprocess.run(["git", *where, *settings, *arguments], env=environment, capture_output=True,
                              check=check, **options)
        return done.stdout.decode(errors="replace").strip()

    def commit(self, files, message="change"):
        """files: path to text or bytes; None removes it. Returns the commit's name."""
        for name, body in files.items():
            file = os.fsencode(self.path) + b"/" + os.fsencode(name)
            if body is None:
                os.unlink(file)
                continue
            os.makedirs(os.path.dirname(file), exist_ok=True)
            with open(file, "wb") as out:
                out.write(body if isinstance(body, bytes) else body.encode())
        self.clock += 3600
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")


def leak(seed):
    return f"GITHUB_TOKEN={github_token(seed)}\n"


def scan(run, repository, *options, code=1):
    """Findings as dictionaries, in order."""
    done = run.guette("scan", "--format", "jsonl", *options, "--git",
                      repository.path if isinstance(repository, Repository) else repository)
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    run.last = done
    return [json.loads(line) for line in done.stdout.splitlines()]


def places(found):
    return [(f["path"], f["commit"]) for f in found]


def test_removed_long_ago(run):
    r = Repository(run.folder / "r")
    r.commit({"a.txt": "nothing\n"})
    leaked = r.commit({"config/deploy.env": "# deploy\n" + leak(1)}, "Add deploy\n\nmore words")
    r.commit({"config/deploy.env": None})
    found = scan(run, r, "--show-secrets")
    assert places(found) == [("config/deploy.env", leaked)], found
    one = found[0]
    assert one["rule"] == RULE and one["line"] == 2 and one["secret"] == github_token(1)
    assert one["author"] == "Ada Example" and one["email"] == "ada@acme.example"
    assert one["date"] == "2023-11-15T01:43:20+01:30" and one["subject"] == "Add deploy", one
    for path in (r.path / ".git", r.path):
        assert places(scan(run, path)) == [("config/deploy.env", leaked)]
    assert github_token(1) not in run.last.stdout + run.last.stderr


def test_first_commit_of_each_path(run):
    r = Repository(run.folder / "r")
    first = r.commit({"a": "1\n" + leak(1)})
    r.commit({"a": "2\n3\n" + leak(1)})           # the same secret in the same file: told once
    second = r.commit({"a": "2\n3\n" + leak(1) + leak(2)})
    copied = r.commit({"b": "1\n" + leak(1)})      # the same blob elsewhere
    r.git("mv", "a", "c")
    moved = r.commit({})
    found = scan(run, r, "--show-secrets")
    assert [(f["path"], f["commit"], f["secret"]) for f in found] == [
        ("a", first, github_token(1)), ("a", second, github_token(2)), ("b", copied, github_token(1)),
        ("c", moved, github_token(1)), ("c", moved, github_token(2))], found


def test_branches_and_merges(run):
    r = Repository(run.folder / "r")
    r.commit({"a": "1\n", "both": "base\n"})
    r.git("checkout", "-q", "-b", "topic")
    on_topic = r.commit({"t": leak("topic"), "both": "topic\n"})
    r.git("checkout", "-q", "main")
    on_main = r.commit({"m": leak("main"), "both": "main\n"})
    r.git("merge", "-q", "topic", check=False)
    merge = r.commit({"both": leak("merge")}, "merge")
    assert len(r.git("rev-list", "--parents", "-1", merge).split()) == 3
    assert places(scan(run, r)) == [("t", on_topic), ("m", on_main), ("both", merge)]
    assert places(scan(run, r, "--branch", "topic")) == [("t", on_topic)]
    assert len(scan(run, r, "--branch", "topic", "--branch", "main")) == 3
    assert places(scan(run, r, "--since", f"@{BASE + 3 * 3600 - 10}")) == [("m", on_main), ("both", merge)]
    for wrong in (["--branch", "nowhere"], ["--branch", "--all"], ["--since", "soonish"],
                  ["--since", "2099-01-01"]):
        scan(run, r, *wrong, code=2)
        assert wrong[1] in run.last.stderr, run.last.stderr
    assert run.guette("scan", "--since", "2020-01-01", ".").returncode == 2
    assert run.guette("scan", "--git", r.path, "--unreachable", "--branch", "main").returncode == 2


def test_messages(run):
    r = Repository(run.folder / "r")
    one = r.commit({"a": "1\n"}, "Use the key\n\n" + leak("message"))
    r.git("tag", "-a", "-m", "Release\n\n" + leak("tag"), "v1")
    tag = r.git("rev-parse", "v1")
    found = scan(run, r)
    assert places(found) == [("(commit message)", one), ("(tag message)", tag)], found
    assert [f["line"] for f in found] == [3, 3] and found[1]["author"] == "Ada Example"


def test_unreachable(run):
    r = Repository(run.folder / "r")
    r.commit({"a": "1\n"})
    r.git("checkout", "-q", "-b", "gone")
    lost = r.commit({"b": leak("lost")})
    r.git("checkout", "-q", "main")
    r.git("branch", "-q", "-D", "gone")
    blob = r.git("hash-object", "-w", "--stdin", input=leak("blob").encode())
    for prepare in ([], ["repack", "-adkq"]):
        if prepare:
            r.git("reflog", "expire", "--expire=now", "--all")
            r.git(*prepare)
        assert scan(run, r, code=0) == []
        assert places(scan(run, r, "--unreachable")) == [("b", lost), (blob, None)]


def test_tags_of_other_things(run):
    r = Repository(run.folder / "r")
    r.commit({"a": "1\n"})
    blob = r.git("hash-object", "-w", "--stdin", input=leak("blob").encode())
    r.git("tag", "key", blob)
    tree = r.git("mktree", input=f"100644 blob {blob}\tinside\n".encode())
    r.git("tag", "-a", "-m", "a tree", "tree", tree)
    r.git("tag", "-a", "-m", "of a tag\n\n" + leak("outer"), "outer", "tree")
    found = {f["path"] for f in scan(run, r)}
    assert "(tag message)" in found and len(found) == 2, found


def test_every_kind_of_clone(run):
    r = Repository(run.folder / "r")
    leaked = r.commit({"a": leak(1)})
    removed = r.commit({"a": None, "b": "nothing\n"})
    r.commit({"b": leak(2)})
    whole = {f["fingerprint"] for f in scan(run, r)}
    assert len(whole) == 2
    url = r.path.as_uri()
    for name, options in (("bare", ["--bare"]), ("mirror", ["--mirror"]), ("shared", ["--shared"]),
                          ("nocheckout", ["--no-checkout"])):
        r.git("clone", "-q", *options, url if name != "shared" else str(r.path), str(run.folder / name))
        assert {f["fingerprint"] for f in scan(run, run.folder / name)} == whole, name
    r.git("clone", "-q", "--depth", "1", url, str(run.folder / "shallow"))
    assert len(scan(run, run.folder / "shallow")) == 1 and "shallow" in run.last.stderr
    r.git("config", "uploadpack.allowFilter", "true")
    r.git("clone", "-q", "--no-checkout", "--filter=blob:none", url, str(run.folder / "partial"))
    assert scan(run, run.folder / "partial", code=2) == [] and "partial" in run.last.stderr
    r.git("worktree", "add", "-q", "--detach", str(run.folder / "tree"), removed)
    assert {f["fingerprint"] for f in scan(run, run.folder / "tree")} == whole
    assert places(scan(run, r))[0] == ("a", leaked)


def test_packed_and_loose(run):
    """However git keeps the objects, the findings are the same, in the same order."""
    r = Repository(run.folder / "r")
    rng = random.Random(1)
    text = [f"line {rng.random()} of some text that is long enough\n" for _ in range(2000)]
    for number in range(40):
        text[rng.randrange(len(text))] = f"changed {number}\n"
        if number in (7, 23):
            text.insert(rng.randrange(len(text)), leak(number))
        if number == 15:
            text = [line for line in text if github_token(7) not in line]
        r.commit({"big.txt": "".join(text), f"dir/{number % 5}/x": leak(100 + number % 3) + str(number)})
    loose = scan(run, r)
    assert len(loose) >= 2 + 3 * 3, places(loose)
    for options in (["repack", "-adq", "--depth=50", "--window=50"], ["repack", "-adfq", "--depth=0"],
                    ["-c", "pack.indexVersion=1", "repack", "-adfq"], ["-c", "repack.useDeltaBaseOffset=false",
                                                                       "repack", "-adfq"]):
        r.git(*options)
        for threads in ("1", "2", "8"):
            assert scan(run, r, "--threads", threads) == loose, (options, threads)
    r.commit({"more": leak("more")})
    r.git("repack", "-q")
    r.commit({"loose": leak("loose")})
    r.git("pack-objects", "-q", "--all", str(r.path / ".git/objects/pack/pack"), input=b"")
    assert scan(run, r)[: len(loose)] == loose and len(scan(run, r)) == len(loose) + 2


def test_edits_that_make_a_secret(run):
    """A version is judged by what differs from another: what the edit completes is found, too."""
    r = Repository(run.folder / "r")
    filler = "".join(f"{hashlib.sha256(str(i).encode()).hexdigest()[:50]}\n" for i in range(3000))
    token = github_token("halves")
    whole = filler + "token " + token[:20] + "\n" + filler[::-1]
    r.commit({"f": whole})
    made = r.commit({"f": whole.replace(token[:20] + "\n", token + "\n")})
    r.commit({"f": whole.replace(token[:20] + "\n", "")})
    r.git("repack", "-adfq", "--depth=50")
    assert places(scan(run, r)) == [("f", made)]


def test_what_is_inside(run):
    """Archives and encoded texts are judged whole, however little of them an edit changed."""
    r = Repository(run.folder / "r")
    rng = random.Random(5)

    def packed(text):
        body = io.BytesIO()
        with zipfile.ZipFile(body, "w") as archive:
            archive.writestr("noise", rng_noise)
            archive.writestr("settings", text)
        return body.getvalue()

    rng_noise = rng.randbytes(60_000)
    prose = "".join(f"some words of line {n}\n" for n in range(4000))

    def encoded(text):
        inner = base64.encodebytes(gzip.compress(rng_noise[:20_000] + text.encode(), mtime=0)).decode()
        return prose + inner + prose

    r.commit({"a.zip": packed("x" * 60), "text": encoded("x" * 60)})
    made = r.commit({"a.zip": packed(leak(1)), "text": encoded(leak(2))})
    r.git("repack", "-adfq", "--depth=50")
    assert sorted(places(scan(run, r, code=1))) == [("a.zip", made), ("text", made)]


def test_names_of_every_kind(run):
    r = Repository(run.folder / "r")
    names = ["line\nbreak", "tab\there", 'quo"te', "é/ü", "-rf", " space ", "back\\slash", ":(glob)x", "a:100644"]
    commit = r.commit({name: leak(i) for i, name in enumerate(names)}, "names\n")
    found = scan(run, r)
    assert sorted(f["path"] for f in found) == sorted(names), found
    assert {f["commit"] for f in found} == {commit}
    raw = os.fsdecode(b"latin-\xe9")
    r.commit({raw: leak("raw")})
    assert scan(run, r)[-1]["path"].startswith("latin-")
    table = run.guette("scan", "--git", r.path).stdout
    assert "line break:1:14" in table, table


def test_long_blobs(run):
    r = Repository(run.folder / "r")
    rng = random.Random(2)
    line = b"".join(b"%x\n" % rng.getrandbits(200) for _ in range(1000))
    body = line * 400  # about 20 MB: more than a window, and than is unpacked here
    at = body.index(b"\n", 17_000_000) + 1
    one = r.commit({"long": body[:at] + leak("deep").encode() + body[at:]})
    two = r.commit({"long": body[:at] + leak("deep").encode() + body[at:] + leak("end").encode()})
    for prepare in ([], ["repack", "-adq"]):
        if prepare:
            r.git(*prepare)
        found = scan(run, r)
        assert places(found) == [("long", one), ("long", two)], found
        assert found[0]["line"] == body[:at].count(b"\n") + 1
    assert scan(run, r, "--max-size", "1MB", code=0) == []


def test_sha256(run):
    try:
        r = Repository(run.folder / "r", "--object-format=sha256")
    except subprocess.CalledProcessError as why:
        raise harness.Skip("git has no SHA-256") from why
    one = r.commit({"a": leak(1)})
    assert len(one) == 64 and places(scan(run, r)) == [("a", one)]
    r.commit({"a": leak(1) + leak(2)})
    r.git("repack", "-adq")
    assert len(scan(run, r)) == 2


def test_nothing_is_executed(run):
    r = Repository(run.folder / "r")
    mark = run.folder / "executed"
    evil = run.folder / "evil"
    evil.write_text(f"#!/bin/sh\necho \"$0 $*\" >> {mark}\ncat\n")
    evil.chmod(0o755)
    r.commit({".gitattributes": "* filter=evil diff=evil\n", "a": leak(1)})
    r.git("repack", "-adq")
    hooks = r.path / ".git/hooks"
    hooks.mkdir(exist_ok=True)
    for hook in ("pre-commit", "post-index-change", "reference-transaction", "pre-auto-gc", "post-checkout"):
        (hooks / hook).symlink_to(evil)
    blob = r.git("rev-parse", "HEAD:a")
    with open(r.path / ".git/config", "a") as config:
        config.write(f"""
[core]
    fsmonitor = {evil}
    pager = {evil}
    editor = {evil}
    hooksPath = {hooks}
    sshCommand = {evil}
    gitProxy = {evil}
    askPass = {evil}
    alternateRefsCommand = {evil}
[filter "evil"]
    clean = {evil}
    smudge = {evil}
    process = {evil}
    required = true
[diff]
    external = {evil}
[diff "evil"]
    textconv = {evil}
    command = {evil}
[alias]
    cat-file = !{evil}
    rev-list = !{evil}
    diff-tree = !{evil}
[pager]
    cat-file = {evil}
    rev-list = {evil}
    diff-tree = {evil}
[credential]
    helper = !{evil}
[gpg]
    program = {evil}
[log]
    showSignature = true
[uploadpack]
    packObjectsHook = {evil}
[remote "origin"]
    url = ext::{evil} %S
    uploadpack = {evil}
    promisor = true
    partialclonefilter = blob:none
[extensions]
    partialClone = origin
[url "ext::{evil} "]
    insteadOf = https://
""")
    environment = dict(os.environ, GIT_EXTERNAL_DIFF=str(evil), GIT_SSH_COMMAND=str(evil), GIT_PAGER=str(evil),
                       GIT_DIR="/nonexistent", GIT_OBJECT_DIRECTORY="/nonexistent", GIT_CONFIG_COUNT="1",
                       GIT_CONFIG_KEY_0="core.fsmonitor", GIT_CONFIG_VALUE_0=str(evil))
    for options in ([], ["--unreachable"], ["--branch", "main"], ["--since", f"@{BASE}"]):
        done = run.guette("scan", *options, "--git", r.path, env=environment)
        assert done.returncode == 1, done.stderr
    # What is missing is not fetched.
    for pack in (r.path / ".git/objects/pack").glob("pack-*"):
        pack.chmod(0o600)
        pack.unlink()
    done = run.guette("scan", "--git", r.path, env=environment)
    assert done.returncode == 2 and done.stderr, blob
    assert not mark.exists(), mark.read_text()


def test_refs_that_look_like_options(run):
    r = Repository(run.folder / "r")
    one = r.commit({"a": leak(1)})
    for ref in ("refs/heads/--output=pwned", "refs/heads/-x", "refs/tags/--stdin"):
        file = r.path / ".git" / ref
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(one + "\n")
    assert places(scan(run, r)) == [("a", one)]
    assert places(scan(run, r, "--branch", "--output=pwned")) == [("a", one)]
    assert not list(run.folder.rglob("*pwned")) == [], "the ref itself is there"
    assert not (r.path / "pwned").exists() and not (run.folder / "pwned").exists()


def object_file(repository, name):
    return repository.path / ".git/objects" / name[:2] / name[2:]


def overwrite(file, body):
    file.chmod(0o600)
    file.write_bytes(body)


def test_damaged_objects(run):
    r = Repository(run.folder / "r")
    good = r.commit({"a": leak(1)})
    r.commit({"b": "short\n"})
    last = r.commit({"c": leak(3)})
    broken = r.git("rev-parse", "HEAD:b")
    overwrite(object_file(r, broken), b"not zlib at all")
    found = scan(run, r, code=2)
    assert places(found) == [("a", good), ("c", last)], found
    assert broken in run.last.stderr, run.last.stderr
    wrong_size = zlib.compress(b"blob 99999\0short\n")
    overwrite(object_file(r, broken), wrong_size)
    assert len(scan(run, r, code=2)) == 2
    assert broken in run.last.stderr, run.last.stderr
    overwrite(object_file(r, broken), zlib.compress(b"blob 6\0short\n"))
    assert len(scan(run, r)) == 2
    tree = r.git("rev-parse", "HEAD~1^{tree}")
    overwrite(object_file(r, tree), b"no tree")
    found = scan(run, r, code=2)
    assert ("a", good) in places(found) and run.last.stderr, found
    overwrite(object_file(r, r.git("rev-parse", "HEAD~1")), b"no commit")
    found = scan(run, r, code=2)
    assert ("a", good) in places(found) and "damaged" in run.last.stderr, (found, run.last)


def test_damaged_packs(run):
    """Any byte of a pack may be wrong: no crash, and what is lost is said."""
    r = Repository(run.folder / "r")
    rng = random.Random(3)
    for number in range(12):
        r.commit({"f": "".join(f"{rng.random()}\n" for _ in range(300)), "g": f"{number}\n" + leak(number % 4)})
    r.git("repack", "-adfq", "--depth=10")
    whole = len(scan(run, r))
    for suffix, rounds in ((".pack", 12), (".idx", 8)):
        file = next((r.path / ".git/objects/pack").glob(f"*{suffix}"))
        original = file.read_bytes()
        for turn in range(rounds):
            body = bytearray(original)
            for _ in range(1 + turn % 4):
                body[rng.randrange(len(body))] ^= 1 << rng.randrange(8)
            overwrite(file, bytes(body[: rng.randrange(len(body))] if turn % 5 == 4 else body))
            done = run.guette("scan", "--format", "jsonl", "--git", r.path)
            assert done.returncode in (1, 2) or turn % 5 == 4, (turn, done)
            assert done.returncode == 2 or len(done.stdout.splitlines()) == whole, (suffix, turn, done)
            assert done.returncode != 2 or done.stderr, done
        overwrite(file, original)
    assert len(scan(run, r)) == whole


def test_no_repository(run):
    (run.folder / "plain").mkdir()
    for path in ("plain", "missing"):
        done = run.guette("scan", "--git", path)
        assert done.returncode == 2 and path in done.stderr, done
    inside = Repository(run.folder / "r")
    inside.commit({"sub/a": leak(1)})
    done = run.guette("scan", "--git", inside.path / "sub")
    assert done.returncode == 2 and "top" in done.stderr, "a folder inside is not taken for the repository"
    empty = Repository(run.folder / "empty")
    assert scan(run, empty, code=0) == []


def test_without_git(run):
    r = Repository(run.folder / "r")
    done = run.guette("scan", "--git", r.path, env=dict(os.environ, PATH="/nonexistent"))
    assert done.returncode == 2 and "install" in done.stderr, done


def test_a_git_that_dies(run):
    """Never a partial answer that looks whole."""
    r = Repository(run.folder / "r")
    r.commit({"a": leak(1)})
    folder = run.folder / "bin"
    folder.mkdir()
    real = shutil.which("git")
    for verb in ("rev-parse", "count-objects", "cat-file", "rev-list", "diff-tree", "for-each-ref"):
        fake = folder / "git"
        fake.write_text(f'#!/bin/sh\ncase " $* " in *" {verb} "*) kill -9 $$;; esac\nexec {real} "$@"\n')
        fake.chmod(0o755)
        done = run.guette("scan", "--git", r.path, env=dict(os.environ, PATH=f"{folder}:{os.environ['PATH']}"))
        assert done.returncode == 2 and done.stderr, (verb, done)


def test_somebody_elses_repository(run):
    need(os.geteuid() == 0, "only root can give files away")
    r = Repository(run.folder / "r")
    one = r.commit({"a": leak(1)})
    for path in [r.path, *r.path.rglob("*")]:
        with contextlib.suppress(OSError):
            os.lchown(path, 12345, 12345)
    assert places(scan(run, r)) == [("a", one)]


if __name__ == "__main__":
    harness.main(sys.modules["__main__"])
