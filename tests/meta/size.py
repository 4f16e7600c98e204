"""No C file over 700 lines, no function over 100."""
import pathlib
import tempfile
import unittest

from project import ROOT, files, said

FILE_LINES, FUNCTION_LINES = 700, 100


def functions(text: str):
    """(name line, first line, length) of each function body: clang-format puts its braces in column 0."""
    start, head, previous = 0, "", ""
    for number, line in enumerate(text.splitlines(), 1):
        if line == "{":
            start, head = number, previous
        elif line == "}" and start:
            yield head.strip(), start, number - start - 1
            start = 0
        previous = line


def mistakes(root: pathlib.Path) -> list[str]:
    found = []
    for file in files(root, ".c", ".h"):
        name, text = file.relative_to(root), file.read_text()
        lines = text.count("\n")
        if lines > FILE_LINES:
            found.append(f"{name}: {lines} lines; split it by thing")
        found += [f"{name}:{line}: {head}: {length} lines; split it"
                  for head, line, length in functions(text) if length > FUNCTION_LINES]
    return found


class Size(unittest.TestCase):
    def test_project(self):
        self.assertFalse(*said(mistakes(ROOT)))

    def test_can_fail(self):
        with tempfile.TemporaryDirectory() as directory:
            root = pathlib.Path(directory)
            (root / "core").mkdir()
            body = "    x();\n" * (FUNCTION_LINES + 1)
            (root / "core/a.c").write_text(f"static void long_one(void)\n{{\n{body}}}\n")
            (root / "core/b.h").write_text("\n" * (FILE_LINES + 1))
            (root / "core/c.c").write_text("int short_one(void)\n{\n    return 0;\n}\n")
            found = mistakes(root)
            self.assertEqual(len(found), 2, found)
            self.assertIn("long_one", found[0])
            self.assertIn("core/b.h", found[1])


if __name__ == "__main__":
    unittest.main()
