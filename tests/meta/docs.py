"""Relative links of every Markdown page lead somewhere; docs/CONFIG.md names every key. docs.py GUETTE."""
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

from project import ROOT, files, said

GUETTE = sys.argv[1]
LINK = re.compile(r"\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.M | re.S)


def anchors(page: pathlib.Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text()), re.M)
    return {re.sub(r"[^\w\- ]", "", h.strip().lower()).replace(" ", "-") for h in headings}


def broken_links(root: pathlib.Path) -> list[str]:
    found = []
    for page in files(root, ".md"):
        for link in LINK.findall(FENCE.sub("", page.read_text())):
            if re.match(r"[a-z]+:", link):
                continue
            path, _, anchor = link.partition("#")
            target = (page.parent / path).resolve() if path else page
            if not target.exists():
                found.append(f"{page.relative_to(root)}: {link} is not there")
            elif anchor and anchor not in anchors(target):
                found.append(f"{page.relative_to(root)}: {link}: no such heading")
    return found


def keys(schema) -> set[str]:
    """Names of all properties of a JSON Schema, at any depth."""
    if isinstance(schema, list):
        return set().union(*map(keys, schema))
    if not isinstance(schema, dict):
        return set()
    properties = schema.get("properties", {})
    return set(properties) | keys(list(properties.values())) | keys(
        [value for key, value in schema.items() if key != "properties"])


class Docs(unittest.TestCase):
    def test_links(self):
        self.assertFalse(*said(broken_links(ROOT)))

    def test_links_can_fail(self):
        with tempfile.TemporaryDirectory() as directory:
            root = pathlib.Path(directory)
            (root / "A.md").write_text("# Top\n[b](B.md) [top](#top) [c](C.md#here)\n```\n[d](D.md)\n```\n")
            (root / "C.md").write_text("# There\n")
            self.assertEqual(broken_links(root), ["A.md: B.md is not there", "A.md: C.md#here: no such heading"])

    def test_every_key_is_told(self):
        said_schema = subprocess.run([GUETTE, "config", "schema"], capture_output=True, text=True, check=True)
        known = keys(json.loads(said_schema.stdout))
        self.assertGreater(len(known), 20)
        page = (ROOT / "docs/CONFIG.md").read_text()
        told = set(re.findall(r"[a-z][a-z0-9_]*", page))
        self.assertFalse(*said([f"docs/CONFIG.md does not name {key}" for key in sorted(known - told)]))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
