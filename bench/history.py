"""Makes a git repository with a long history out of this system's own text: history.py FOLDER [MEGABYTES].

A few thousand files, each edited again and again by small commits: most of what the history holds when it
is unpacked is the same text with a few lines changed, as in any real one. The same seed, the same repository,
as far as the system's files are the same.
"""
import os
import pathlib
import random
import subprocess
import sys

TOPS = ("/usr/include", "/usr/lib/python3", "/usr/lib/python3.11", "/usr/share/perl", "/usr/share/doc")
FILES_MAX = 4000
SUFFIXES = {".h", ".py", ".c", ".hpp", ".pm", ".pl", ".txt", ".md", ".html", ".rst", ".json", ".yaml", ".cfg"}


def texts():
    """(path in the repository, bytes) of text files of 1 to 400 KB."""
    found = []
    for top in TOPS:
        for path in sorted(pathlib.Path(top).rglob("*")):
            if path.suffix not in SUFFIXES or path.is_symlink() or not path.is_file():
                continue
            if 1000 < path.stat().st_size < 400_000 and os.access(path, os.R_OK):
                found.append(path)
    random.Random(1).shuffle(found)
    return [(str(p).lstrip("/"), p.read_bytes()) for p in sorted(found[:FILES_MAX])]


def edit(rng, text, number):
    """Replaces, inserts or drops a line in one to three places."""
    for _ in range(rng.randint(1, 3)):
        start = text.find(b"\n", rng.randrange(len(text))) + 1
        end = text.find(b"\n", start) + 1 or len(text)
        line = text[start:end]
        kind = rng.random()
        if kind < 0.5:
            line = line[: len(line) // 2].rstrip() + b" /* change %d of %x */\n" % (number, rng.getrandbits(40))
        elif kind < 0.8:
            line += b"static int changed_%x = %d;\n" % (rng.getrandbits(40), number)
        elif len(text) > 1500:
            line = b""
        text = text[:start] + line + text[end:]
    return text


def write(out, size, leaks=()):
    """A fast-import stream of about `size` bytes of blobs. leaks: {change number: bytes added to that blob}."""
    rng = random.Random(2)
    files = texts()
    leaks = dict(leaks)
    # A few files are edited far more often than most.
    weights = [1 / (1 + i) ** 0.7 for i in range(len(files))]
    average = sum(len(t) * w for (_, t), w in zip(files, weights)) / sum(weights)
    changes = int(max(0, size - sum(len(t) for _, t in files)) / average)
    order = list(range(len(files))) + rng.choices(range(len(files)), weights, k=changes)
    rng.shuffle(order)
    when = {}  # change -> (file, mark)
    by_file = {}
    for change, file in enumerate(order):
        by_file.setdefault(file, []).append(change)
    mark = 0
    total = 0
    for file, (path, text) in enumerate(files):  # all versions of a file together, so that deltas are short
        for turn, change in enumerate(by_file.get(file, [])):
            text = edit(rng, text, change) if turn else text
            blob = text + leaks.get(change, b"")
            mark += 1
            when[change] = (path, mark)
            total += len(blob)
            out.write(b"blob\nmark :%d\ndata %d\n%s\n" % (mark, len(blob), blob))
    change, number = 0, 0
    while change < len(order):
        number += 1
        lot = {}
        for step in range(change, min(change + rng.randint(1, 8), len(order))):
            lot[when[step][0]] = when[step][1]
            change = step + 1
        words = b"change %d\n\nSome files are edited.\n" % number
        out.write(b"commit refs/heads/main\ncommitter Dev %d <dev%d@acme.example> %d +0100\ndata %d\n%s"
                  % (number % 40, number % 40, 1_400_000_000 + number * 600, len(words), words))
        for path, blob in lot.items():
            out.write(b"M 100644 :%d %s\n" % (blob, path.encode()))
        out.write(b"\n")
    return total, number


def make(folder, size, leaks=()):
    """A bare repository, packed once; returns (bytes of blobs, commits)."""
    clean = {**os.environ, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null"}
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", folder], check=True, env=clean)
    git = ["git", "-C", folder]
    with subprocess.Popen([*git, "fast-import", "--quiet"], stdin=subprocess.PIPE, env=clean) as process:
        figures = write(process.stdin, size, leaks)
    if process.returncode:
        raise RuntimeError("git fast-import failed")
    subprocess.run([*git, "repack", "-adq"], check=True, env=clean)  # the order of packs that are cloned
    return figures


if __name__ == "__main__":
    print(make(sys.argv[1], int(sys.argv[2] if len(sys.argv) > 2 else 100) * 1_000_000))
