"""guette rules: what it lists, shows and proves. test_rules.py GUETTE."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

GUETTE = os.path.abspath(sys.argv[1])
RULE = r"""provider: Testco
rules:
  - id: testco.token
    name: {en: Testco token, fr: Jeton Testco}
    severity: high
    confidence: likely
    keywords: [tco_]
    regex: '\btco_[0-9]{8,32}\b'
    revoke: Revoke it.
    examples: [tco_01234567]
"""


def rules(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([GUETTE, "rules", *arguments], text=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=300)


class Rules(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        (pathlib.Path(folder.name) / "testco.yaml").write_text(RULE)

    def test_only_given(self):
        done = rules("test", "--only-given", self.folder)
        self.assertEqual((done.returncode, done.stdout), (0, "1 rules, 0 failures\n"), done.stderr)
        done = rules("test", self.folder)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn("\n1 rules", "\n" + done.stdout)

    def test_only_given_needs_a_folder(self):
        self.assertEqual(rules("test", "--only-given").returncode, 2)

    def test_list(self):
        own = ("--only-given", "--rules", self.folder)
        self.assertRegex(rules("list", *own).stdout, r"^testco\.token +high +likely +credential +Testco token\n$")
        listed = json.loads(rules("list", "--format", "json", *own).stdout)
        self.assertEqual([(r["id"], r["examples"]) for r in listed], [("testco.token", ["tco_01234567"])])
        for arguments in (("--provider", "testco"), ("--provider", "TESTCO", "--category", "credential")):
            self.assertIn("testco.token", rules("list", *arguments, *own).stdout)
        done = rules("list", "--provider", "tsetco", *own)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn('did you mean "', done.stderr)
        self.assertEqual(rules("list", "--format", "xml", *own).returncode, 2)

    def test_show(self):
        own = ("--only-given", "--rules", self.folder)
        text = rules("show", "testco.token", *own).stdout
        for word in ("tco_01234567", "keywords", "Revoke it."):
            self.assertIn(word, text)
        self.assertEqual(json.loads(rules("show", "testco.token", "--format", "json", *own).stdout)["keywords"], ["tco_"])
        self.assertIn('did you mean "testco.token"?', rules("show", "testco.tokn", *own).stderr)

    def test_new(self):
        """What it writes proves itself, and holds nothing of the token but its form."""
        for token in (None, "sk_live_51HabcDEFghiJKLmnoPQRstu", "ghq_0123456789abcdefABCDEFghijklmnop1234",
                      "123e4567-e89b-12d3-a456-426614174000", "AKIB7Q2M4XWPLR9ZTBKD", "9f2c61abd07e4835a1c6f02db74e9385",
                      "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.sflKxwRJSMeKKF2QT4fwpMe", "xoxq-123456789012-AbCdEf-0123ghij",
                      "acme:Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6+/=="):
            with self.subTest(token), tempfile.TemporaryDirectory() as folder:
                done = rules("new", "acme.api-token", *(("--from-example", token) if token else ()))
                self.assertEqual(done.returncode, 0, done.stderr)
                (pathlib.Path(folder) / "acme.yaml").write_text(done.stdout)
                if token:
                    self.assertNotIn(token[-10:], done.stdout)
                proved = rules("test", "--only-given", folder)
                self.assertEqual(proved.stdout, "1 rules, 0 failures\n", done.stdout + proved.stderr)
                if token:
                    found = subprocess.run([GUETTE, "scan", "--only", "acme", "--rules", folder, "-"], text=True,
                                           input=f"ACME_TOKEN={token}\n", capture_output=True, timeout=300)
                    self.assertIn("acme.api-token", found.stdout, done.stdout)

    def test_new_is_refused(self):
        for arguments in (("Acme",), ("acme",), ("acme.x.y",), (), ("acme.x", "--from-example", "short"),
                          ("acme.x", "--from-example", "blanks are in this one"), ("acme.x", "--from-example", "a" * 5000)):
            done = rules("new", *arguments)
            self.assertEqual((done.returncode, done.stdout), (2, ""), arguments)

    def test_bench(self):
        for name in ("a", "b"):
            (pathlib.Path(self.folder) / name).write_text("tco_01234567 tco_x\n")
        done = rules("bench", "--only-given", "--rules", self.folder, self.folder + "/a", self.folder + "/b")
        self.assertRegex(done.stdout, r"(?m)^ +[\d.]+ +[\d.]+% +4 +2  testco\.token$")
        self.assertRegex(done.stdout, r"(?m)^2 files, .* 2 findings$")
        self.assertEqual(rules("bench", "nosuchfile").returncode, 1)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
