"""Every header compiles alone. headers.py COMPILER...: the compiler and its flags."""
import concurrent.futures
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

from project import ROOT, files, said

COMPILER = sys.argv[1:] or ["cc"]
LIBRARIES = ["libcurl", "libhs", "libpcre2-8", "jansson", "yaml-0.1", "libxml-2.0", "sqlite3", "libsodium",
             "libzstd", "libarchive", "libdeflate", "hiredis", "libmicrohttpd"]


def flags() -> list[str]:
    asked = subprocess.run(["pkg-config", "--cflags", *LIBRARIES], capture_output=True, text=True, check=True)
    return ["-std=gnu17", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Wno-unused-parameter", "-Wno-missing-field-initializers",
            "-Werror", "-fsyntax-only", *asked.stdout.split()]


def compile_alone(root: pathlib.Path, header: pathlib.Path, options: list[str]) -> str | None:
    """What the compiler says; None: nothing."""
    text = f'#include "{header.relative_to(root)}"\n'
    done = subprocess.run([*COMPILER, *options, f"-I{root}", "-x", "c", "-"], input=text,
                          capture_output=True, text=True)
    return f"{header.relative_to(root)}: {done.stderr.strip()}" if done.returncode else None


def mistakes(root: pathlib.Path) -> list[str]:
    options = flags()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        said = pool.map(lambda header: compile_alone(root, header, options), files(root, ".h"))
        return [words for words in said if words]


class Headers(unittest.TestCase):
    def test_project(self):
        self.assertGreater(len(files(ROOT, ".h")), 10)
        self.assertFalse(*said(mistakes(ROOT)))

    def test_can_fail(self):
        with tempfile.TemporaryDirectory() as directory:
            root = pathlib.Path(directory)
            (root / "core").mkdir()
            (root / "core/a.h").write_text("size_t length(const char *text);\n")
            (root / "core/b.h").write_text("#include <stddef.h>\nsize_t length(const char *text);\n")
            found = mistakes(root)
            self.assertEqual(len(found), 1, found)
            self.assertIn("core/a.h", found[0])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
