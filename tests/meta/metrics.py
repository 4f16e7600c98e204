"""Every metric that the code writes has a help row, and every row is written and told in docs/OPERATIONS.md."""
import re
import unittest

from project import ROOT, files, said

WRITTEN = re.compile(r'gt_(?:counter_add|gauge_set|histogram_observe)\(\s*"([^"]+)"')
ROW = re.compile(r'METRIC\(\s*"([^"]+)",\s*"(?:counter|gauge|histogram)",\s*"[^"]+')
TABLE = ROOT / "core/metrics.def"


def written() -> dict[str, str]:
    """Metric name -> a file that writes it."""
    found = {}
    for file in files(ROOT, ".c", ".h"):
        name = file.relative_to(ROOT)
        if name.parts[0] not in ("tests", "bench"):
            found.update({metric: str(name) for metric in WRITTEN.findall(file.read_text())})
    return found


class Metrics(unittest.TestCase):
    rows = ROW.findall(TABLE.read_text())

    def test_every_metric_has_help(self):
        self.assertGreater(len(self.rows), 5)
        self.assertFalse(*said([f"{file}: {metric} has no row in {TABLE.relative_to(ROOT)}"
                                for metric, file in written().items() if metric not in self.rows]))

    def test_names_are_ours(self):
        for metric in self.rows:
            self.assertRegex(metric, r"^guette_[a-z0-9_]+$")

    def test_operators_can_read_of_each(self):
        page = (ROOT / "docs/OPERATIONS.md").read_text()
        self.assertFalse(*said([f"docs/OPERATIONS.md does not tell of {metric}"
                                for metric in self.rows if f"`{metric}`" not in page]))


if __name__ == "__main__":
    unittest.main()
