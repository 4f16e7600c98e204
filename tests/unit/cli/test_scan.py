"""guette scan: what it tells, what it leaves out, how it ends. test_scan.py GUETTE."""
import base64
import json
import os
import pathlib
import pty
import signal
import subprocess
import sys
import threading
import time
import unittest

from scan_home import GUETTE, Home


class Filters(Home):
    def rule_ids(self, *arguments, code=1):
        return sorted({finding["rule"] for finding in self.found(*arguments, "files", code=code)})

    def test_levels(self):
        self.assertEqual(self.rule_ids("--min-severity", "high"), ["testco.token"])
        self.assertEqual(self.rule_ids("--min-confidence", "likely"), ["testco.token"])
        self.assertEqual(self.rule_ids("--min-severity", "critical", code=0), [])
        self.assertIn(b"info, low, medium", self.scan("--min-severity", "hihg", "files", code=2).stderr)

    def test_names(self):
        for name in ("testco.token", "testco.t*", "credential"):
            self.assertEqual(self.rule_ids("--only", name), ["testco.token"])
            self.assertEqual(self.rule_ids("--except", name), ["testco.weak"])
        for name in ("testco", "TESTCO", "testco.token,testco.weak"):
            self.assertEqual(len(self.rule_ids("--only", name)), 2)
        self.assertEqual(self.rule_ids("--only", "testco.token", "--only", "generic", "--except", "testco.token"), ["testco.weak"])
        self.assertIn(b"3 by the filters", self.scan("--only", "generic", "files").stdout)

    def test_unknown_names(self):
        for name, meant in (("testco.tokne", "testco.token"), ("credentail", "credential"), ("gihtub.*", "github.*")):
            self.assertIn(f'did you mean "{meant}"?', self.scan("--only", name, "files", code=2).stderr.decode())
        self.assertIn(b"--except", self.scan("--except", "nosuchthing", "files", code=2).stderr)

    def test_exit_zero(self):
        self.scan("--exit-zero", "files", code=0)
        self.scan("--exit-zero", "nosuchfile", code=2)


class Baseline(Home):
    def test_round_trip(self):
        self.write("files/=1\n\"x", "tco_00000004")
        with open(os.path.join(os.fsencode(self.home), b"files/\xff\x1b.txt"), "w") as file:
            file.write("tco_00000005")
        for name in ("json", "jsonl", "csv", "sarif", "gitlab"):
            with self.subTest(name):
                self.scan("--format", name, "--output", "known", "./files")
                done = self.scan("--baseline", "known", "files", code=0)
                self.assertIn(b"6 in the baseline", done.stdout)

    def test_what_is_new_is_told(self):
        self.scan("--write-baseline", "known", "--exit-zero", "files", code=0)
        lines = (self.home / "known").read_text().splitlines()
        self.assertEqual({tuple(json.loads(line)) for line in lines}, {("rule", "fingerprint", "path")})
        self.assertNotIn("tco_", (self.home / "known").read_text())
        self.write("files/a.py", "\n\n\nkey = tco_00000001  # moved\nother = tco_00000077\n")
        self.write("files/copy.py", "tco_00000001")
        self.assertEqual([(f["path"], f["line"]) for f in self.found("--baseline", "known", "files")],
                         [("files/a.py", 5), ("files/copy.py", 1)])
        self.scan("--baseline", "known", "--write-baseline", "known", "files")
        self.scan("--baseline", "known", "files", code=0)

    def test_without_a_path(self):
        finding = self.found("files/a.py")[0]
        for entry in ({"id": finding["id"]}, {"rule": finding["rule"], "fingerprint": finding["fingerprint"]}):
            self.write("known", json.dumps(entry) + "\n")
            self.scan("--baseline", "known", "files/a.py", code=0)

    def test_wrong_files(self):
        for content in ("{", "no report", '{"rule": 1}', '{"a": 1}\n{"b"'):
            self.write("known", content)
            self.assertIn(b"--baseline known", self.scan("--baseline", "known", "files", code=2).stderr)
        self.scan("--baseline", "nosuchfile", "files", code=2)
        self.write("known", "")
        self.scan("--baseline", "known", "files")

    def test_another_key_is_told(self):
        self.write("known", '{"rule": "testco.token", "fingerprint": "00", "path": "files/a.py"}\n')
        self.assertIn(b"GUETTE_FINGERPRINT_KEY", self.scan("--baseline", "known", "files").stderr)


class Ignoring(Home):
    def test_paths(self):
        for name in ("node_modules/x/y.js", "src/node_modules/z.js", "build/a.log", "build/b/a.log", "src/build/a.log",
                     "src/keep.tmp", "src/x.tmp", "docs/deep/er/x.md", "docs/x.md", "a[1].txt"):
            self.write("tree/" + name, "tco_00000001")
        self.write("tree/.guetteignore", "# comment\nnode_modules/\n/build/*.log\n*.tmp\n!keep.tmp\ndocs/**/x.md\na\\[1].txt\r\n")
        left = ["build/b/a.log", "src/build/a.log", "src/keep.tmp"]
        self.assertEqual(self.paths("tree"), ["tree/" + name for name in left])
        self.assertEqual(self.paths("./tree/"), ["./tree/" + name for name in left])
        self.assertEqual(self.paths(str(self.home / "tree")), [str(self.home / "tree" / name) for name in left])
        self.assertEqual(len(self.paths("--no-ignore", "tree")), 10)
        self.assertIn(b"7 ignored paths", self.scan("tree").stdout)

    def test_where_the_scan_starts(self):
        self.write(".guetteignore", "b/\n")
        self.assertEqual(self.paths("files"), ["files/a.py"])
        self.assertEqual(self.paths("files/b/two.txt", code=0), [])  # a folder above what is named
        self.assertEqual(len(self.paths(str(self.home / "files"))), 4)  # elsewhere

    def test_the_folder_itself_is_never_ignored(self):
        self.write(".guetteignore", ".*\n?\n*.ini\n")
        self.assertEqual(self.paths("."), ["./files/a.py"])

    def test_ignore_file(self):
        self.write("mine", "/a.py\nrule:testco.weak b/\nfingerprint:" + self.found("files/b/two.txt")[0]["fingerprint"][:20])
        done = self.scan("--ignore-file", "mine", "files")
        self.assertIn(b"1 ignored path", done.stdout)
        self.assertIn(b"2 ignored\n", done.stdout)
        self.assertIn(b"1 finding ", done.stdout)
        self.scan("--ignore-file", "nosuchfile", "files", code=2)

    def test_wrong_lines_are_told(self):
        self.write(".guetteignore", "fingerprint:123\nrule:\n/\n")
        lines = self.scan("files").stderr.decode().splitlines()
        self.assertEqual([line.split(": ")[1] for line in lines], [f".guetteignore:{n}" for n in (1, 2, 3)])

    def test_comments(self):
        self.write("c", "a = tco_00000001  # guette:ignore\nb = tco_00000002\n// guette:ignore\ntco_00000003" + " " * 2000
                   + "guette:ignore\n")
        self.assertEqual([f["line"] for f in self.found("c")], [2, 4])
        done = self.scan("--format", "jsonl", "c")
        self.assertIn(b"Not shown: 1 ignored", done.stderr)  # never silently
        self.assertEqual(len(self.found("--no-ignore", "c")), 3)

    def test_a_hostile_pattern_ends(self):
        self.write(".guetteignore", "*a" * 2000 + "b\n" + "**/" * 2000 + "x\n" + "[" * 2000 + "\n")
        self.write("files/" + "a" * 250, "tco_00000001")
        started = time.monotonic()
        self.scan("files")
        self.assertLess(time.monotonic() - started, 60)


class Documents(Home):
    def documents(self, *lines, code=1):
        text = b"\n".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines)
        done = self.scan("--documents", "--format", "jsonl", "-", code=code, given=text)
        return [json.loads(line) for line in done.stdout.splitlines()], done.stderr.decode()

    def test_places(self):
        binary = base64.b64encode(b"\0\xff tco_00000003").decode()
        found, _ = self.documents({"content": "x\ntco_00000001", "url": "https://p.example/1", "source": "pastes", "author": "me"},
                                  {"content_base64": binary, "path": "mail/1"}, {"content": "tco_00000004", "source": "pastes"},
                                  {"content": "tco_00000005"})
        self.assertEqual([(f["path"], f["line"], f["column"]) for f in found],
                         [("https://p.example/1", 2, 1), ("mail/1", 1, 4), ("pastes#3", 1, 1), ("-#4", 1, 1)])
        self.assertEqual((found[0]["url"], found[0]["source"], found[0]["author"]), ("https://p.example/1", "pastes", "me"))

    def test_titles_are_judged(self):
        found, _ = self.documents({"content": "tco_00000001 here", "title": "tco_00000002"})
        self.assertEqual(len(found), 2)

    def test_bad_lines_are_named_and_the_others_go_on(self):
        found, said = self.documents(b"nonsense", {"content": "tco_00000001"}, b"", {"no": 1}, {"content": 7}, b"[1]",
                                     {"content_base64": "%%"}, b"[" * 500, b"\xff\xfe", {"content": "tco_00000002"}, code=2)
        self.assertEqual(len(found), 2)
        for number in (1, 4, 5, 6, 7, 8, 9):
            self.assertIn(f"guette scan: -: line {number}: ", said)
        self.assertNotIn("line 3:", said)

    def test_a_line_too_long(self):
        done = self.scan("--documents", "-", code=2, given=b'{"content":"' + b"x" * (65 << 20) + b'"}\n{"content":"tco_00000001"}')
        self.assertIn(b"line 1: is longer than 64 MiB", done.stderr)
        self.assertIn(b"1 finding ", done.stdout)

    def test_a_file(self):
        self.write("d.jsonl", '{"content": "tco_00000001"}\n')
        self.assertEqual(self.paths("--documents", "d.jsonl"), ["d.jsonl#1"])


class Files(Home):
    def test_order_does_not_depend_on_threads(self):
        for i in range(200):
            self.write(f"many/{i:03}", f"tco_{i:08}\n" * (i % 5) + "weakling_00000001\n")
        for name in ("jsonl", "table", "csv", "html"):
            outs = []
            for threads in ("1", "2", "8"):
                lines = self.scan("--format", name, "--threads", threads, "many").stdout.splitlines()
                outs.append([line for line in lines if b"nonce" not in line and b" s" != line[-2:] and b"UTC" not in line])
            self.assertEqual(outs[0], outs[1], name)
            self.assertEqual(outs[0], outs[2], name)

    def test_line_ends_of_windows(self):
        self.write("crlf", "one\r\ntwo\r\nx=tco_00000001\r\n")
        self.assertEqual([(f["line"], f["column"]) for f in self.found("crlf")], [(3, 3)])

    def test_a_path_that_holds_a_secret(self):
        self.write("p/tco_00000008.txt", "k=tco_00000001")
        self.assertEqual(len(self.found("p")), 2)

    def test_what_is_no_file(self):
        os.mkfifo(self.home / "files/pipe")
        self.assertIn(b"1 device, socket or pipe", self.scan("files").stdout)
        self.scan("files/pipe", code=2)
        if os.path.exists("/proc/self/environ"):
            self.scan("/proc/self/status", code=0)  # its size is said to be 0
        if os.getuid() != 0:
            (self.home / "files/a.py").chmod(0)
            self.assertIn(b"1 unreadable file", self.scan("files", code=2).stdout)

    def test_long_and_deep_paths(self):
        os.chdir(self.home)
        for _ in range(60):
            os.mkdir("d" * 100)
            os.chdir("d" * 100)
        pathlib.Path("x").write_text("tco_00000001")
        os.chdir("/")
        self.assertIn(b"File name too long", self.scan(".", code=2).stderr)


class Ends(Home):
    def start(self, *arguments, **more):
        return subprocess.Popen([GUETTE, "scan", "--rules", str(self.rules), *arguments], cwd=self.home,
                                env=self.environment(), **more)

    def test_a_reader_that_goes_away(self):
        for i in range(500):
            self.write(f"many/{i}", "".join(f"tco_{n:08}\n" for n in range(100)))
        scan = self.start("--format", "jsonl", "many", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertTrue(scan.stdout.readline())
        scan.stdout.close()
        self.assertEqual(scan.stderr.read(), b"")
        scan.stderr.close()
        self.assertEqual(scan.wait(60), 1)

    def interrupt(self, number, code, *arguments):
        scan = self.start(*arguments, "files", "-", stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        scan.stdin.write(b"tco_00000099\n")
        scan.stdin.flush()
        self.wait_for_report(scan, arguments)
        time.sleep(1)  # standard input is being read
        scan.send_signal(number)
        out, said = scan.communicate(timeout=60)
        self.assertEqual(scan.returncode, code)
        self.assertIn(b"interrupted", said)
        return self.begun + out

    def wait_for_report(self, scan, arguments):
        """Until it is looking: its signals are its own from before that on."""
        self.begun = b"" if "--output" in arguments else scan.stdout.readline()
        deadline = time.monotonic() + 60
        while "--output" in arguments and not any(name.startswith("report.") for name in os.listdir(self.home)):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)

    def test_interrupted(self):
        out = self.interrupt(signal.SIGINT, 130, "--format", "json")
        report = json.loads(out)
        self.assertTrue(report["summary"]["interrupted"])
        self.assertEqual(len(report["findings"]), 5)
        self.interrupt(signal.SIGTERM, 143, "--output", "report", "--write-baseline", "known")
        self.assertEqual(sorted(os.listdir(self.home)), ["files", "report"])  # no baseline of half a scan

    def test_interrupted_twice(self):
        scan = self.start("--output", "report", "-", stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        self.wait_for_report(scan, ["--output"])
        scan.send_signal(signal.SIGINT)
        scan.send_signal(signal.SIGINT)
        scan.communicate(timeout=30)
        self.assertEqual(scan.returncode, 130)
        self.assertLessEqual(set(os.listdir(self.home)), {"files", "report"})

    def test_a_full_disk(self):
        if not os.path.exists("/dev/full"):
            self.skipTest("/dev/full is not there")
        with open("/dev/full", "wb") as full:
            scan = self.start("--format", "json", "files", stdout=full, stderr=subprocess.PIPE)
            self.assertIn(b"No space left", scan.communicate(timeout=30)[1])
            self.assertEqual(scan.returncode, 2)


class Progress(Home):
    def on_terminal(self, *arguments, terminal_out=False, draws=3):
        """What a terminal on standard error gets, and what standard output does."""
        main, terminal = pty.openpty()
        scan = subprocess.Popen([GUETTE, "scan", "--rules", str(self.rules), *arguments, "-"], cwd=self.home,
                                env=self.environment(), stdin=subprocess.PIPE,
                                stdout=terminal if terminal_out else subprocess.PIPE, stderr=terminal)
        os.close(terminal)
        said, out = [], []
        readers = [threading.Thread(target=self.drain, args=(main, said))]
        if not terminal_out:
            readers.append(threading.Thread(target=lambda: out.append(scan.stdout.read())))
        started = time.monotonic()
        for reader in readers:
            reader.start()
        while draws and b"".join(said).count(b"\x1b[K0 files") < draws and time.monotonic() < started + 60:
            time.sleep(0.05)
        scan.stdin.write(b"tco_00000001\n")
        scan.stdin.close()
        for reader in readers:
            reader.join(30)
        scan.wait(30)
        if scan.stdout:
            scan.stdout.close()
        os.close(main)
        self.assertEqual(scan.returncode, 1)
        self.took = time.monotonic() - started
        return b"".join(said), b"".join(out)

    @staticmethod
    def drain(fd, said):
        try:
            while piece := os.read(fd, 4096):
                said.append(piece)
        except OSError:  # the other end is closed
            pass

    def test_on_a_terminal(self):
        said, out = self.on_terminal("--format", "jsonl")
        self.assertLess(said.count(b"\r\x1b[K"), 10 * self.took + 2)  # ten a second at most
        self.assertEqual(len(out.splitlines()), 1)
        last = said.rsplit(b"\r\x1b[K", 1)[1]  # nothing of it is left
        self.assertIn(b"1 finding (1 high)", last)

    def test_with_a_table(self):
        said, _ = self.on_terminal(terminal_out=True)
        self.assertIn(b"\r\x1b[K0 files", said)
        self.assertIn(b"testco.token", said.rsplit(b"\r\x1b[K", 1)[1])

    def test_none(self):
        self.assertNotIn(b"\x1b[K", self.on_terminal("--no-progress", "--format", "jsonl", draws=0)[0])
        self.assertNotIn(b"\x1b[K", self.on_terminal("--format", "jsonl", terminal_out=True, draws=0)[0])
        self.assertNotIn(b"\x1b", self.scan("files").stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
