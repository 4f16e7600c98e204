"""guette init and guette config. test_config.py GUETTE."""
import json
import os
import pathlib
import stat
import subprocess
import sys
import tempfile
import unittest

GUETTE = os.path.abspath(sys.argv[1])
ROOT = pathlib.Path(__file__).resolve().parents[3]
ACME = ("init", "acme.example", "--name", "Acme Corp", "--email", "soc@acme.example")


class Folder(unittest.TestCase):
    def setUp(self):
        self.kept = tempfile.TemporaryDirectory()
        self.addCleanup(self.kept.cleanup)
        self.home = pathlib.Path(self.kept.name)

    def guette(self, *arguments, code=0, **variables):
        environment = {k: v for k, v in os.environ.items() if k not in ("GUETTE_CONFIG", "GITHUB_TOKEN")}
        done = subprocess.run([GUETTE, *arguments], cwd=self.home, env=environment | variables, text=True,
                              capture_output=True, stdin=subprocess.DEVNULL, timeout=60)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def write(self, name, text):
        (self.home / name).write_text(text)


class Init(Folder):
    def test_what_it_writes_is_accepted(self):
        self.guette(*ACME)
        self.assertEqual(stat.S_IMODE((self.home / "guette.yaml").stat().st_mode), 0o644)
        self.assertEqual(stat.S_IMODE((self.home / "data/fingerprint.key").stat().st_mode), 0o600)
        self.assertTrue((self.home / "inbox").is_dir())
        done = self.guette("config", "check")
        self.assertTrue(done.stdout.startswith("guette.yaml: fine: 1 brand, 4 sources, 2 channels"), done.stdout)
        self.assertNotIn("note:", done.stdout)
        self.assertEqual(done.stderr, "")

    def test_so_is_what_its_comments_propose(self):
        self.guette(*ACME)
        for name in ("smtp-password", "webhook-secret"):
            self.write(name, "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=\n")
        lines = []
        for line in (self.home / "guette.yaml").read_text().splitlines():
            words = line.strip()
            proposed = words.startswith("# ") and (words[2:4] in ("- ", "  ") or words.split()[1] in (
                "patterns:", "queue:", "health:"))
            lines.append(line.replace("# ", "", 1) if proposed and lines and lines[-1] is not None and
                         not words.startswith("#   guette") else line)
        text = "\n".join(lines).replace("file:/run/secrets/", "file:").replace(
            "  type: redis", "  type: memory")
        self.write("all.yaml", text)
        done = self.guette("config", "check", "all.yaml")
        self.assertIn("1 brand, 5 sources, 4 channels, 2 routes, queue memory", done.stdout)

    def test_names_are_quoted(self):
        for name in ('Acme "Corp": #1', "- x", "Société & Söhne", "${HOME}"):
            with self.subTest(name=name):
                quoted = json.dumps(name.replace("${", "$${"), ensure_ascii=False)
                self.guette("init", "acme.example", "--name", name, "--email", "soc@acme.example", "--force")
                shown = self.guette("config", "show").stdout
                self.assertIn(f"- name: {quoted}\n", shown)

    def test_nothing_is_overwritten(self):
        self.guette(*ACME)
        key = (self.home / "data/fingerprint.key").read_text()
        self.write("guette.yaml", "mine")
        self.assertIn("--force", self.guette(*ACME, code=1).stderr)
        self.assertEqual((self.home / "guette.yaml").read_text(), "mine")
        self.guette(*ACME, "--force")
        self.assertNotEqual((self.home / "guette.yaml").read_text(), "mine")
        self.assertEqual((self.home / "data/fingerprint.key").read_text(), key)

    def test_another_directory(self):
        self.guette(*ACME, "--dir", "etc/guette")
        self.guette("config", "check", "etc/guette/guette.yaml")
        self.assertTrue((self.home / "etc/guette/data/fingerprint.key").exists())

    def test_wrong_use(self):
        wrong = [("init",), ("init", "acme.example"), ("init", "acme", "--name", "A", "--email", "a@acme.example"),
                 ("init", "acme.example", "--name", "A", "--email", "nobody"),
                 ("init", "acme.example", "--name", "A\nB", "--email", "a@acme.example"),
                 ("init", "acme.example", "b.example", "--name", "A", "--email", "a@acme.example")]
        for arguments in wrong:
            with self.subTest(arguments=arguments):
                self.assertIn("guette init", self.guette(*arguments, code=2).stderr)
        self.assertEqual(list(self.home.iterdir()), [])


class Config(Folder):
    def test_every_mistake_is_told(self):
        self.write("guette.yaml", "brnads: 1\nsources:\n- {type: sight}\n- {type: folder, interval: soon}\n")
        done = self.guette("config", "check", code=1)
        self.assertEqual(done.stdout, "")
        lines = done.stderr.splitlines()
        self.assertEqual([line.split(": ")[0] for line in lines], [
            "guette.yaml:1:1", "guette.yaml:3:10", "guette.yaml:4:3", "guette.yaml:4:28", "guette"])
        self.assertIn('did you mean "brands"?', lines[0])
        self.assertIn("4 mistakes", lines[-1])

    def test_a_site_that_is_not_there(self):
        self.write("guette.yaml", "sources: [{type: site, site: hackernews}, {type: site, site: gists}]\n")
        done = self.guette("config", "check", code=1)
        self.assertEqual(done.stdout, "")
        self.assertIn('source "hackernews": there is no site "hackernews"; did you mean "hacker-news"?', done.stderr)
        self.assertIn('source "gists": there is no site "gists"; `guette sites list` shows all', done.stderr)

    def test_a_file_that_is_not_there(self):
        self.assertIn("guette init", self.guette("config", "check", code=1).stderr)
        self.assertIn("none.yaml", self.guette("config", "check", "none.yaml", code=1).stderr)

    def test_secrets_are_masked(self):
        self.write("token", "t0ken-of-a-file\n")
        self.write("guette.yaml", "sources:\n- {type: site, site: github-gists, token: '${T}'}\n"
                   "- {type: site, name: b, site: github-gists, token: file:token}\n"
                   "- {type: site, name: c, site: hacker-news, proxy: 'http://user:pr0xy@proxy.example:80'}\n")
        shown = self.guette("config", "show", T="t0ken-of-the-environment").stdout
        self.assertIn("token: \"********\"", shown)
        self.assertIn("http://****@proxy.example:80", shown)
        for secret in ("t0ken", "pr0xy"):
            self.assertNotIn(secret, shown)

    def test_what_it_shows_means_the_same(self):
        self.guette(*ACME)
        shown = self.guette("config", "show").stdout
        self.write("again.yaml", shown)
        self.assertEqual(self.guette("config", "show", "again.yaml").stdout, shown)

    def test_notes(self):
        self.write("guette.yaml", "brands: [{name: A, keywords: [it]}]\n")
        done = self.guette("config", "check")
        self.assertEqual(done.stdout.count("note: "), 4)

    def test_schema(self):
        schema = json.loads(self.guette("config", "schema").stdout)
        self.assertEqual(schema["$schema"], "https://json-schema.org/draft/2020-12/schema")
        kinds = [kind["properties"]["type"]["const"] for kind in
                 schema["properties"]["sources"]["items"]["oneOf"]]
        self.assertLessEqual({"folder", "feed", "site"}, set(kinds))

    def test_the_handbook_is_up_to_date(self):
        page = (ROOT / "docs/CONFIG.md").read_text()
        self.assertEqual(page.split("<!-- printed by guette config reference -->\n\n")[1],
                         self.guette("config", "reference").stdout,
                         "docs/CONFIG.md is out of date; it says itself how to print its reference anew")


class Together(Folder):
    def test_an_address_of_a_queue_that_is_none(self):
        self.guette(*ACME)
        text = (self.home / "guette.yaml").read_text()
        self.write("guette.yaml", text + '\nqueue: {type: redis, url: "redis//host"}\n')
        for command in (("config", "check"), ("run",), ("match",)):
            with self.subTest(command):
                said = self.guette(*command, code=1).stderr
                self.assertTrue(said.startswith("guette.yaml: queue: url: "), said)
                self.assertIn("redis://user:password@host:port/database", said)

    def test_folders_that_are_not_there(self):
        self.guette(*ACME)
        text = (self.home / "guette.yaml").read_text()
        for key in ("rules", "sites"):
            with self.subTest(key):
                self.write("guette.yaml", text + f"\n{key}: [our-{key}]\n")
                said = self.guette("config", "check", code=1).stderr
                self.assertRegex(said, rf"(?m)^guette\.yaml: {key}.*our-{key}: No such file or directory")

    def test_a_site_that_is_none(self):
        self.guette(*ACME)
        text = (self.home / "guette.yaml").read_text()
        self.write("guette.yaml", text.replace("site: hacker-news", "site: hackernews"))
        for command in (("config", "check"), ("run",)):
            with self.subTest(command):
                said = self.guette(*command, code=1).stderr
                self.assertIn('there is no site "hackernews"; did you mean "hacker-news"?', said)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
