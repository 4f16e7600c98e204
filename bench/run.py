"""Benchmarks against a limit or a peer in the same run: python3 bench/run.py [--quick] [NAME...].

NAME: pipeline, scan, folder or git. GUETTE_BENCH_MB is the size of the history that `git` makes (6000; --quick 200),
GUETTE_BENCH_GIT a repository to be used instead.

Figures depend on the machine and its neighbours: quote the ratios. docs/PERFORMANCE.md keeps those
of one machine with the command that made them.
"""
import os
import pathlib
import random
import resource
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
import harness  # noqa: E402
import history  # noqa: E402

QUICK = "--quick" in sys.argv
WORDS = ("watch leak paste token server build deploy branch commit review merge release note index "
         "table value length buffer string number error return while public private").split()


def timed(command, repeat=5, **options):
    """Median wall seconds of a command, after one run that warms the cache."""
    figures = []
    for turn in range(repeat + 1):
        start = time.perf_counter()
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False,
                       **options)
        if turn:
            figures.append(time.perf_counter() - start)
    return statistics.median(figures)


def text_of(rng, size):
    words = []
    length = 0
    while length < size:
        word = rng.choice(WORDS)
        words.append(word)
        length += len(word) + 1
        if rng.random() < 0.1:
            words.append("\n")
    return " ".join(words)


def bench_pipeline(backend):
    """Documents a second from a folder through queue and matchers, until nothing waits."""
    count = 2000 if QUICK else 20000
    rng = random.Random(1)
    run = harness.Run(backend, fsync="everysec")  # as Redis ships, and as deploy/ has it
    try:
        inbox = run.inbox()
        for number in range(count):
            text = text_of(rng, 2000)
            if number % 100 == 0:
                text += harness.leak_text(number)
            (inbox / f"{number:06}.txt").write_text(text)
        run.write_config(sources=run.inbox_yaml(interval="60s"), matchers=1)
        warm = run.start("match")  # compiles the rules once, so that we time documents
        run.wait_log("worker.ready")
        harness.stop(warm)
        start = time.perf_counter()
        run.start("run")
        harness.wait_until(lambda: len(run.alerts_of("github.personal-access-token")) >= count // 100,
                           "all alerts", 600)
        harness.wait_until(run.drained, "an empty queue", 60)
        return count / (time.perf_counter() - start)
    finally:
        run.close(keep=False)


def corpus(file):
    """One file of about 200 MB of this system's own text and source."""
    total, limit = 0, (20 if QUICK else 200) * 1_000_000
    with open(file, "wb") as out:
        for top in ("/usr/include", "/usr/lib/python3", "/usr/share"):
            for path in sorted(pathlib.Path(top).rglob("*")):
                if path.is_symlink() or not path.is_file() or not os.access(path, os.R_OK):
                    continue
                total += out.write(path.read_bytes()[:4_000_000])
                if total > limit:
                    return total
    return total


def bench_scan():
    run = harness.Run()
    try:
        file = run.folder / "mixed.txt"
        size = corpus(file)
        subprocess.run([harness.GUETTE, "scan", str(file)], stdout=subprocess.DEVNULL, check=False)
        rows = [("guette scan, 1 thread", [harness.GUETTE, "scan", "--threads", "1", str(file)]),
                ("guette scan, 2 threads", [harness.GUETTE, "scan", "--threads", "2", str(file)]),
                ("wc -l", ["wc", "-l", str(file)]),
                ("grep -ac LITERAL", ["grep", "-ac", "AKIAIOSFODNN7", str(file)]),
                ("grep -acE, 3 words", ["grep", "-acE", "(AKIA|ghp_|xoxb-)[A-Za-z0-9]{16}", str(file)])]
        return size, [(name, timed(command)) for name, command in rows]
    finally:
        run.close(keep=False)


def measured(command, repeat=3):
    """(median wall seconds, median processor seconds) of a shell's command, after one run that warms the cache."""
    walls, work = [], []
    for turn in range(repeat + 1):
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run(["sh", "-c", command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if turn:
            walls.append(time.perf_counter() - start)
            work.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return statistics.median(walls), statistics.median(work)


def text_folder(folder):
    """About 600 MB of this system's own text and source, file by file, in folders of 500."""
    total, count, limit = 0, 0, (60 if QUICK else 600) * 1_000_000
    for top in ("/usr/include", "/usr/lib/python3", "/usr/share", "/usr/lib"):
        for path in sorted(pathlib.Path(top).rglob("*")):
            if path.is_symlink() or not path.is_file() or not os.access(path, os.R_OK):
                continue
            data = path.read_bytes()
            if not data or len(data) > 8_000_000 or b"\0" in data[:4096] or path.suffix in (".gz", ".xz"):
                continue
            place = folder / f"{count // 500:03}" / f"{count}-{path.name[-60:]}"
            place.parent.mkdir(exist_ok=True, parents=True)
            place.write_bytes(data)
            total, count = total + len(data), count + 1
            if total > limit:
                return total, count
    return total, count


def brand_file(path):
    """10,000 made-up terms of one brand."""
    rng = random.Random(4)
    words = ("".join(rng.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(rng.randint(8, 14))) for _ in range(10_000))
    path.write_text("brands:\n  - name: Acme\n    domains: [acme.example]\n    keywords:\n" +
                    "".join(f"      - {word}\n" for word in words))


def bench_folder():
    run = harness.Run()
    try:
        folder, brands, small = run.folder / "text", run.folder / "brands.yaml", run.folder / "small.txt"
        size, count = text_folder(folder)
        brand_file(brands)
        small.write_text("nothing\n")
        scan = f"{harness.GUETTE} scan --format jsonl"
        rows = [("rg -c LITERAL", f"rg -c zqxjkvwq {folder}"),
                ("guette scan", f"{scan} {folder}"),
                ("the same, --max-depth 0", f"{scan} --max-depth 0 {folder}"),
                ("the same, 1 thread", f"{scan} --threads 1 {folder}"),
                ("guette scan, 10,000 brand terms", f"{scan} --config {brands} {folder}"),
                ("guette scan, one small file", f"{scan} {small}"),
                ("the same, nothing cached", f"XDG_CACHE_HOME=$(mktemp -d -p {run.folder}) {scan} {small}")]
        return size, count, [(name, *measured(command, 5)) for name, command in rows]
    finally:
        run.close(keep=False)


def bench_git():
    """A history in which a secret was added to one change in a thousand, against reading it by git alone."""
    run = harness.Run()
    try:
        size = int(os.environ.get("GUETTE_BENCH_MB", "200" if QUICK else "6000")) * 1_000_000
        folder = os.environ.get("GUETTE_BENCH_GIT") or str(run.folder / "history")
        if "GUETTE_BENCH_GIT" not in os.environ:
            leaks = {number: harness.leak_text(number).encode() for number in range(500, 1_000_000, 1000)}
            history.make(folder, size, leaks)
        rows = [("git cat-file, all objects, to wc -c",
                 f"git -C {folder} cat-file --batch-all-objects --batch --buffer --unordered | wc -c")]
        for what, more in (("guette scan --git", ""), ("the same, 1 thread", "--threads 1")):
            rows.append((what, f"{harness.GUETTE} scan {more} --git {folder}"))
        return [(name, *measured(command)) for name, command in rows]
    finally:
        run.close(keep=False)


def main():
    names = [a for a in sys.argv[1:] if not a.startswith("-")] or ["pipeline", "scan", "folder", "git"]
    print(f"{os.cpu_count()} cores, {time.strftime('%Y-%m-%d')}")
    if "pipeline" in names:
        print("\n| documents of 2 KiB through crawl, queue, match, notify | documents/s |\n| --- | --- |")
        for backend in ("sqlite", "redis"):
            try:
                print(f"| {backend} | {bench_pipeline(backend):.0f} |", flush=True)
            except harness.Skip as why:
                print(f"| {backend} | skipped: {why} |")
    if "scan" in names:
        size, rows = bench_scan()
        base = rows[0][1]
        print(f"\n| over {size / 1e6:.0f} MB, warm cache | s | MB/s | guette scan (1 thread) / this |"
              "\n| --- | --- | --- | --- |")
        for name, seconds in rows:
            print(f"| {name} | {seconds:.2f} | {size / 1e6 / seconds:.0f} | {base / seconds:.2f} |")
    if "folder" in names:
        size, count, rows = bench_folder()
        print(f"\n| over {size / 1e6:.0f} MB in {count} files, warm cache | s | processor s | time against rg |"
              "\n| --- | --- | --- | --- |")
        for name, seconds, work in rows:
            print(f"| {name} | {seconds:.3f} | {work:.3f} | {seconds / rows[0][1]:.2f} |")
    if "git" in names:
        rows = bench_git()
        print("\n| a whole history, warm cache | s | processor s | time against git |\n| --- | --- | --- | --- |")
        for name, seconds, work in rows:
            print(f"| {name} | {seconds:.1f} | {work:.1f} | {seconds / rows[0][1]:.2f} |")


if __name__ == "__main__":
    main()
