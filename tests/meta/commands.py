"""Every command says how it is used; rules and sites prove their examples. commands.py GUETTE."""
import re
import subprocess
import sys
import unittest

from project import ROOT, files

GUETTE = sys.argv[1]


def guette(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([GUETTE, *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                          timeout=300)


def commands() -> list[str]:
    return re.findall(r"^  ([a-z]+)  +\S", guette("--help").stdout, re.M)


class Commands(unittest.TestCase):
    def test_the_list_of_commands(self):
        header = (ROOT / "cli/cli.h").read_text()
        self.assertEqual(sorted(set(re.findall(r"gt_command_([a-z]+)", header))), sorted(commands()))

    def test_each_has_help(self):
        for command in commands():
            with self.subTest(command=command):
                done = guette(command, "--help")
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual(done.stderr, "")
                self.assertRegex(done.stdout.lower(), rf"usage:? guette {command}")

    def test_wrong_use_is_refused(self):
        for arguments in (["nosuchcommand"], ["config", "nosuchverb"], ["scan", "--nosuchoption"]):
            with self.subTest(arguments=arguments):
                done = guette(*arguments)
                self.assertEqual(done.returncode, 2)
                self.assertEqual(done.stdout, "")
                self.assertIn("nosuch", done.stderr)

    def test_rules_prove_their_examples(self):
        done = guette("rules", "test")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_sites_prove_their_examples(self):
        self.assertGreater(len(files(ROOT / "crawler", ".yaml")), 0)
        done = guette("sites", "check")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
