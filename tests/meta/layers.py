"""Who may include whom: the tables of docs/ARCHITECTURE.md against every #include."""
import fnmatch
import pathlib
import re
import tempfile
import unittest

from project import ROOT, code_words, files, said, table

INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]', re.M)


class Layers:
    def __init__(self, page: str):
        self.may: dict[str, set[str] | None] = {}  # None: anything
        for folder, _job, may in table(page, "folder"):
            allowed = None if may == "anything" else set(code_words(may))
            self.may[code_words(folder)[0]] = allowed
        self.users = {code_words(header)[0]: set(code_words(only))
                      for header, only in table(page, "library header")}

    def judge(self, folder: str, own: bool, header: str) -> str | None:
        """What is wrong with `#include` of `header` in a file of `folder`; None: nothing."""
        may = self.may[folder]
        if may is None:
            return None
        return self._own(folder, may, header) if own else self._library(folder, header)

    def _own(self, folder: str, may: set[str], header: str) -> str | None:
        other, _, rest = header.partition("/")
        if not rest:
            return "write the path from the project's root"
        if other == folder:
            return None
        if other not in may:
            return f"{folder}/ may not include {other}/ (docs/ARCHITECTURE.md)"
        if rest != f"{other}.h":
            return f"only {other}/{other}.h is for other folders"
        return None

    def _library(self, folder: str, header: str) -> str | None:
        for pattern, users in self.users.items():
            if fnmatch.fnmatch(header, pattern) and folder not in users:
                return f"<{header}> belongs to {', '.join(sorted(users))}/ (docs/ARCHITECTURE.md)"
        return None


def mistakes(root: pathlib.Path) -> list[str]:
    layers = Layers((root / "docs/ARCHITECTURE.md").read_text())
    found = []
    for file in files(root, ".c", ".h"):
        name = file.relative_to(root)
        if name.parts[0] not in layers.may:
            found.append(f"{name}: {name.parts[0]}/ is missing in docs/ARCHITECTURE.md")
            continue
        for kind, header in INCLUDE.findall(file.read_text()):
            wrong = layers.judge(name.parts[0], kind == '"', header)
            if wrong:
                found.append(f'{name}: #include of "{header}": {wrong}')
    return found


class Project(unittest.TestCase):
    def test_includes(self):
        self.assertFalse(*said(mistakes(ROOT)))

    def test_the_tables_are_read(self):
        layers = Layers((ROOT / "docs/ARCHITECTURE.md").read_text())
        folders = {f.relative_to(ROOT).parts[0] for f in files(ROOT, ".c", ".h")}
        self.assertLessEqual(folders, set(layers.may))
        for part in ("crawler", "matchers", "notifier"):
            self.assertFalse(layers.may[part] & {"crawler", "matchers", "notifier", "queue", "store"})
        self.assertIn("curl/curl.h", layers.users)


class CanFail(unittest.TestCase):
    """The test itself, on small trees that break a rule each."""

    def judged(self, path: str, include: str) -> list[str]:
        with tempfile.TemporaryDirectory() as directory:
            root = pathlib.Path(directory)
            (root / "docs").mkdir()
            (root / "docs/ARCHITECTURE.md").write_text((ROOT / "docs/ARCHITECTURE.md").read_text())
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(f"#include {include}\n")
            return mistakes(root)

    def test_fails(self):
        for path, include in (
                ("matchers/engine.c", '"queue/queue.h"'),
                ("core/log.c", '"model/model.h"'),
                ("workers/crawl.c", '"crawler/source.h"'),
                ("net/net.c", '"core/error.h"'),
                ("net/net.c", '"net.h"'),
                ("crawler/feed.c", "<curl/curl.h>"),
                ("store/sqlite.c", "<hiredis/hiredis.h>"),
                ("nowhere/thing.c", '"core/core.h"')):
            with self.subTest(path=path, include=include):
                self.assertEqual(len(self.judged(path, include)), 1)

    def test_passes(self):
        for path, include in (
                ("crawler/sources/feed.c", '"crawler/source.h"'),
                ("workers/crawl.c", '"crawler/crawler.h"'),
                ("tests/unit/net/test_net.c", '"net/pool.h"'),
                ("net/net.c", "<curl/curl.h>"),
                ("net/net.c", "<string.h>")):
            with self.subTest(path=path, include=include):
                self.assertEqual(self.judged(path, include), [])


if __name__ == "__main__":
    unittest.main()
