"""Every format of guette scan, with friendly and with hostile content. test_scan_formats.py GUETTE."""
import csv
import html.parser
import io
import json
import os
import pathlib
import re
import stat
import unittest

from scan_home import HOSTILE, Home

SCHEMAS = pathlib.Path(os.environ.get("GUETTE_SHARED", "../shared")) / "schemas"
TEXT = 'q = "tco_00000009" <script>alert(1)</script> =cmd|calc & \'x\' \x1b[31m\n'


def schema_errors(document, schema):
    """Skips without the schema or the module."""
    path = SCHEMAS / schema
    if not path.exists():
        raise unittest.SkipTest(f"{path} is not there")
    try:
        import jsonschema
    except ImportError:
        raise unittest.SkipTest("the Python module jsonschema is not there")
    validator = jsonschema.validators.validator_for(json.loads(path.read_text()))
    return [error.message for error in validator(json.loads(path.read_text()),
                                                 format_checker=jsonschema.FormatChecker()).iter_errors(document)]


class Page(html.parser.HTMLParser):
    """Which elements there are, and whether they close."""
    VOID = {"meta", "input", "img", "br", "link", "hr"}

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.texts, self.attributes = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.elements.append(tag)
        self.attributes += attributes
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag

    def handle_data(self, data):
        self.texts.append(data)


class Formats(Home):
    def setUp(self):
        super().setUp()

        with open(os.path.join(os.fsencode(self.home), b"files", HOSTILE), "w") as file:
            file.write(TEXT)

    def report(self, name, *arguments, code=1):
        done = self.scan("--format", name, *arguments, "files", code=code)
        self.assertNotIn(b"tco_0000", done.stdout)
        return done.stdout.decode()

    def test_jsonl(self):
        findings = self.found("files")
        self.assertEqual(len(findings), 5)
        for finding in findings:
            for key in ("rule", "provider", "category", "severity", "confidence", "path", "line", "column", "decoded_via",
                        "secret", "fingerprint", "commit"):
                self.assertIn(key, finding)
        self.assertEqual([(f["line"], f["column"]) for f in findings if f["path"] == "files/a.py"], [(2, 11)])
        self.assertIn("�<img", [f["path"] for f in findings if "evil" in f["path"]][0])

    def test_show_secrets(self):
        self.assertIn("tco_00000001", [f["secret"] for f in self.found("--show-secrets", "files")])
        for name in ("table", "json", "csv", "sarif", "html", "gitlab"):
            with self.subTest(name):
                self.assertIn(b"tco_00000001", self.scan("--show-secrets", "--format", name, "files").stdout)

    def test_json(self):
        report = json.loads(self.report("json"))
        self.assertEqual(report["findings"], self.found("files"))
        self.assertEqual(report["summary"]["findings"], 5)
        self.assertEqual(report["summary"]["by_severity"]["high"], 4)

    def test_empty_reports(self):
        self.write("empty/nothing", "")
        for name in ("json", "sarif", "gitlab"):
            with self.subTest(name):
                json.loads(self.scan("--format", name, "empty", code=0).stdout)
        self.assertIn(b"Nothing was found", self.scan("--format", "html", "empty", code=0).stdout)
        self.assertEqual(self.scan("--format", "jsonl", "empty", code=0).stdout, b"")

    def test_table_keeps_the_terminal(self):
        text = self.report("table")
        self.assertNotIn("\x1b", text)
        self.assertNotIn("\u202e", text)
        self.assertEqual(len(re.findall(r"^(?:high|low|info) ", text, re.M)), 5)

    def test_csv(self):
        text = self.report("csv")
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
        self.assertEqual(len(rows), 5)
        self.assertEqual({row["rule"] for row in rows}, {"testco.token", "testco.weak"})
        self.assertIn("evil\n", rows[-1]["path"])

    def test_csv_has_no_formulas(self):
        for name in ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\x1b=2"):
            self.write(f"f/{name}/x", "tco_00000001")
        home, self.home = self.home, self.home / "f"
        done = self.scan("--format", "csv", "--", *sorted(os.listdir(self.home)))
        self.home = home
        rows = list(csv.DictReader(io.StringIO(done.stdout.decode(), newline="")))
        self.assertEqual(len(rows), 6)
        for row in rows:
            self.assertEqual(row["path"][0], "'", row)

    def sarif(self):
        return json.loads(self.report("sarif"))

    def test_sarif_by_its_schema(self):
        self.assertEqual(schema_errors(self.sarif(), "sarif/sarif-schema-2.1.0.json"), [])

    def test_sarif(self):
        run = self.sarif()["runs"][0]
        self.assertEqual(len(run["results"]), 5)
        rules = {rule["id"]: rule for rule in run["tool"]["driver"]["rules"]}
        self.assertEqual(set(rules), {"testco.token", "testco.weak"})
        self.assertEqual(rules["testco.token"]["helpUri"], "https://testco.example/tokens")
        self.assertEqual({r["ruleId"]: r["level"] for r in run["results"]}, {"testco.token": "error", "testco.weak": "note"})
        first = run["results"][0]["locations"][0]["physicalLocation"]
        self.assertEqual(first["artifactLocation"], {"uri": "files/a.py", "uriBaseId": "%SRCROOT%"})
        self.assertEqual({k: v for k, v in first["region"].items() if k != "snippet"},
                         {"startLine": 2, "startColumn": 10, "endLine": 2, "endColumn": 22})  # characters, not bytes
        hostile = [r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for r in run["results"]][-1]
        self.assertRegex(hostile, r"^files/evil%0A%FF%3Cimg[A-Za-z0-9%.~_-]*$")
        self.assertTrue(all(len(r["partialFingerprints"]["guetteFingerprint/v1"]) == 64 for r in run["results"]))
        self.assertTrue(run["invocations"][0]["executionSuccessful"])

    def test_gitlab(self):
        report = json.loads(self.report("gitlab"))
        self.assertEqual(report["scan"]["type"], "secret_detection")
        self.assertEqual(report["scan"]["status"], "success")
        for key in ("start_time", "end_time"):
            self.assertRegex(report["scan"][key], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$")
        for key in ("analyzer", "scanner"):
            self.assertTrue(all(report["scan"][key][k] for k in ("id", "name", "version", "vendor")))
        self.assertRegex(report["version"], r"^\d+\.\d+\.\d+$")
        self.assertEqual(len({v["id"] for v in report["vulnerabilities"]}), 5)
        for finding in report["vulnerabilities"]:
            self.assertRegex(finding["id"], r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
            self.assertIn(finding["severity"], ("Info", "Unknown", "Low", "Medium", "High", "Critical"))
            self.assertEqual(finding["identifiers"][0]["type"], "guette_rule_id")
            self.assertTrue(finding["location"]["commit"]["sha"])
            self.assertLessEqual(finding["location"]["start_line"], finding["location"]["end_line"])

    def test_gitlab_by_its_schema(self):
        report = json.loads(self.report("gitlab"))
        self.assertEqual(schema_errors(report, "gitlab/secret-detection-report-format.json"), [])

    def test_html(self):
        text = self.report("html")
        page = Page(text)
        self.assertEqual(page.open, [])
        self.assertEqual(page.elements.count("article"), 5)
        self.assertEqual(page.elements.count("script"), 1)  # ours alone
        self.assertNotIn("img", page.elements)
        self.assertFalse([name for name, _ in page.attributes if name in ("src", "href", "onerror")])
        self.assertIn("<script>alert(1)</script>", "".join(page.texts))
        self.assertNotIn("\x1b", text)
        nonce = re.search(r"script-src 'nonce-([0-9a-f]{32})'", text).group(1)
        self.assertIn(f'<script nonce="{nonce}">', text)
        self.assertIn('<html lang="en">', text)

    def test_html_in_french(self):
        self.write("guette.yaml", "lang: fr\nbrands: [{name: Acme, domains: [acme.example]}]\n")
        text = self.report("html", "--config", "guette.yaml")
        self.assertIn('<html lang="fr">', text)
        self.assertIn("Révoquez-le.", text)
        self.assertIn("Que faire", text)

    def test_a_mistyped_format(self):
        self.assertIn(b"did you mean sarif?", self.scan("--format", "sarfi", "files", code=2).stderr)

    def test_output(self):
        for name in ("table", "json", "jsonl", "csv", "sarif", "gitlab"):
            self.write("out", "old")
            done = self.scan("--format", name, "--output", "out", ".")
            self.assertEqual(done.stdout, b"")
            self.assertIn(b"5 findings", done.stderr)
            self.assertEqual(stat.S_IMODE((self.home / "out").stat().st_mode), 0o600)
            self.assertEqual(sorted(os.listdir(self.home)), ["files", "out"])
        before = self.scan("--format", "csv", ".").stdout  # of which the last one is a part now
        self.scan("--format", "csv", "--output", "out", ".")
        self.assertEqual((self.home / "out").read_bytes(), before)

    def test_a_report_that_cannot_be_written(self):
        if not os.path.exists("/dev/full"):
            self.skipTest("/dev/full is not there")
        for arguments in (("--output", "/dev/full"), ("--output", "no/such/folder"), ("--output", "files")):
            self.assertIn(b"guette scan: ", self.scan(*arguments, "files", code=2).stderr)
        self.assertEqual(os.listdir(self.home), ["files"])
        self.assertTrue(os.path.exists("/dev/full"))


if __name__ == "__main__":
    unittest.main(argv=__import__("sys").argv[:1])
