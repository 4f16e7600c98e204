"""What the meta tests share: where the project is and which files belong to it."""
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
_OUTSIDE = re.compile(r"^(build|data|inbox|\.)")


def files(root: pathlib.Path, *suffixes: str) -> list[pathlib.Path]:
    """Files with one of the suffixes, without build directories and what lies hidden."""
    found = []
    for top in sorted(root.iterdir()):
        if _OUTSIDE.match(top.name):
            continue
        candidates = [top] if top.is_file() else sorted(top.rglob("*"))
        found += [f for f in candidates if f.suffix in suffixes and f.is_file()]
    return found


def table(text: str, first_heading: str) -> list[list[str]]:
    """Cells of the rows of the Markdown table whose first heading is this."""
    rows, inside = [], False
    for line in text.splitlines():
        cells = [c.strip() for c in line.strip().strip("|").split("|")]
        if not line.startswith("|"):
            inside = False
        elif cells[0] == first_heading:
            inside = True
        elif inside and not set(cells[0]) <= set("-: "):
            rows.append(cells)
    return rows


def code_words(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def said(mistakes: list[str]) -> tuple[list[str], str]:
    """Arguments of assertFalse: the mistakes, one a line."""
    return mistakes, "\n" + "\n".join(mistakes)
