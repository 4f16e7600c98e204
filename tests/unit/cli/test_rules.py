"""guette rules: what it lists, shows and proves. test_rules.py GUETTE."""
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


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
