"""A folder to scan, with rules of its own, and the program run in it."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

GUETTE = os.path.abspath(sys.argv[1])
KEPT = tempfile.TemporaryDirectory()  # compiled rules and the key are made once
HOSTILE = b"evil\n\xff<img src=x onerror=alert(1)>\x1b[2J\xe2\x80\xae.txt"
RULES = r"""provider: Testco
revoke: {en: Revoke it., fr: Révoquez-le.}
rules:
  - {id: testco.token, name: {en: Testco token, fr: Jeton Testco}, severity: high, confidence: likely, keywords: [tco_],
     regex: '\btco_[0-9]{8,32}\b', reference: 'https://testco.example/tokens', examples: [tco_01234567]}
  - {id: testco.weak, name: Testco weak, severity: low, confidence: possible, category: generic, keywords: [weakling_],
     regex: '\bweakling_[0-9]{8,32}\b', examples: [weakling_01234567]}
"""


class Home(unittest.TestCase):
    def setUp(self):
        kept = tempfile.TemporaryDirectory()
        self.addCleanup(kept.cleanup)
        self.home = pathlib.Path(kept.name).resolve()
        self.rules = pathlib.Path(KEPT.name) / "rules"
        self.rules.mkdir(exist_ok=True)
        (self.rules / "testco.yaml").write_text(RULES)
        self.write("files/a.py", "# é\r\nkey = 'é tco_00000001'\r\n")
        self.write("files/b/weak.ini", "x = weakling_12345678\n")
        self.write("files/b/two.txt", "tco_00000002 and tco_00000003\n")

    def write(self, name, content):
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def environment(self):
        return os.environ | {"XDG_CACHE_HOME": KEPT.name, "XDG_CONFIG_HOME": KEPT.name, "TERM": "xterm"}

    def run_scan(self, *arguments, given=b"", **more):
        return subprocess.run([GUETTE, "scan", "--rules", str(self.rules), *arguments], cwd=self.home, input=given,
                              env=self.environment(), capture_output=True, timeout=120, **more)

    def scan(self, *arguments, code=1, given=b""):
        done = self.run_scan(*arguments, given=given)
        self.assertEqual(done.returncode, code, (done.stdout + done.stderr).decode(errors="replace"))
        return done

    def found(self, *arguments, code=1, given=b""):
        """The objects of a report as jsonl."""
        done = self.scan("--format", "jsonl", *arguments, code=code, given=given)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def paths(self, *arguments, code=1):
        return [finding["path"] for finding in self.found(*arguments, code=code)]
