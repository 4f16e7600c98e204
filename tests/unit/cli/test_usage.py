"""What guette says of a wrong command line. test_usage.py GUETTE."""
import os
import subprocess
import sys
import unittest

GUETTE = os.path.abspath(sys.argv[1])


class Usage(unittest.TestCase):
    def refused(self, *arguments):
        done = subprocess.run([GUETTE, *arguments], text=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=60)
        self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
        self.assertEqual(done.stdout, "")
        return done.stderr

    def test_a_mistyped_option_is_told_with_the_nearest(self):
        for command, wrong, right in (("init", "--nmae", "--name"), ("run", "--confg", "--config"),
                                      ("findings", "--fromat=json", "--format"), ("queue", "--cnofig", "--config"),
                                      ("scan", "--show-secret-s", "--show-secrets"), ("rules", "--rulse", "--rules")):
            with self.subTest(command):
                said = self.refused(command, wrong)
                self.assertTrue(said.startswith(f'guette {command}: there is no option "{wrong}"; did you mean {right}?'), said)
                self.assertIn(f"See `guette {command} --help`.", said)

    def test_help_of_no_command(self):
        self.assertIn('did you mean "findings"?', self.refused("help", "fidings"))

    def test_a_letter_is_no_option(self):
        self.assertIn('there is no option "-x"', self.refused("status", "-xy"))

    def test_a_missing_value(self):
        self.assertIn("guette match: --slot needs a value", self.refused("match", "--slot"))
        self.assertIn("guette scan: --format needs a value", self.refused("scan", ".", "--format"))

    def test_a_value_too_many(self):
        self.assertIn("guette init: --force takes no value", self.refused("init", "--force=yes"))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
