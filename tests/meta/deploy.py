"""What `./dev` and the container install is the same; the sample configurations are accepted. deploy.py GUETTE."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from project import ROOT

GUETTE = sys.argv[1]
KEY = "0123456789abcdef" * 4


def dev_rows() -> list[list[str]]:
    text = (ROOT / "dev").read_text()
    return [row.split("|") for row in re.search(r"<<'ROWS'\n(.*?)\nROWS", text, re.S)[1].splitlines()]


def check(config: pathlib.Path) -> subprocess.CompletedProcess:
    return subprocess.run([GUETTE, "config", "check", "--config", str(config)], capture_output=True, text=True,
                          env={**os.environ, "NO_COLOR": "1"})


class Packages(unittest.TestCase):
    def test_each_row_has_every_column(self):
        for row in dev_rows():
            self.assertEqual(len(row), 7, row)
            self.assertTrue(all(row), row)

    def test_the_container_builds_with_what_dev_installs(self):
        text = (ROOT / "deploy/Containerfile").read_text()
        listed = re.search(r"--no-install-recommends((?:\s*\\\n|[ a-z0-9.+-])+)", text)[1]
        mine = {p.split("/")[0] for row in dev_rows() if "build" in row[0].split() for p in row[2].split()}
        self.assertEqual(set(listed.replace("\\", "").split()), mine)


class Configurations(unittest.TestCase):
    def test_quick_start(self):
        with tempfile.TemporaryDirectory() as directory:
            root = pathlib.Path(directory)
            shutil.copytree(ROOT / "quickstart", root / "quickstart")
            (root / "inbox").mkdir()
            (root / "data").mkdir()
            (root / "data/fingerprint.key").write_text(KEY)
            (root / "data/fingerprint.key").chmod(0o600)
            done = check(root / "quickstart/guette.yaml")
            self.assertEqual(done.returncode, 0, done.stderr)

    def test_containers(self):
        with tempfile.TemporaryDirectory() as directory:
            root = pathlib.Path(directory)
            text = (ROOT / "deploy/guette.yaml").read_text()
            for name in set(re.findall(r"/run/secrets/([a-z-]+)", text)):
                (root / name).write_text(KEY)
                (root / name).chmod(0o600)
            (root / "guette.yaml").write_text(text.replace("/run/secrets", str(root)).replace(": /data", f": {root}"))
            done = check(root / "guette.yaml")
            self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
