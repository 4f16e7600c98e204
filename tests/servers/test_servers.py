#!/usr/bin/env python3
"""The test servers keep their promises: what other tests take for granted."""

import base64
import json
import os
import subprocess
import sys
import tempfile
import unittest
from http.client import HTTPConnection

HERE = os.path.dirname(os.path.abspath(__file__))


class Case(unittest.TestCase):
    def start(self, script, *args):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.log_path = os.path.join(folder.name, "log")
        process = subprocess.Popen(
            [sys.executable, "-B", os.path.join(HERE, script), "--log", self.log_path, *args],
            stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        ready, port = process.stdout.readline().split()
        self.assertEqual(ready, "READY")
        self.port = int(port)

    def log(self):
        with open(self.log_path, encoding="utf-8") as f:
            return [json.loads(line) for line in f]

    def request(self, method, path, body=None, headers=None):
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        self.addCleanup(connection.close)
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        return response, response.read()

    def write(self, name, content):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = os.path.join(folder.name, name)
        with open(path, "w", encoding="utf-8") as f:
            json.dump(content, f)
        return path


class Receiver(Case):
    # The example of the Standard Webhooks specification.
    HEADERS = {"webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek", "webhook-timestamp": "1614265330",
               "webhook-signature": "v1,bm90IHRoaXM= v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="}
    BODY = b'{"test": 2432232314}'
    SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

    def post(self, body, headers):
        return self.request("POST", "/hook", body, headers)[0].status

    def test_standard_webhooks(self):
        self.start("receiver.py", "--secret", self.SECRET, "--tolerance", "0")
        self.assertEqual(self.post(self.BODY, self.HEADERS), 200)
        self.assertEqual(self.post(self.BODY, self.HEADERS), 200)
        self.assertEqual(self.post(self.BODY + b" ", self.HEADERS), 401)
        self.assertEqual(self.post(self.BODY, {}), 401)
        log = self.log()
        self.assertEqual([entry["ok"] for entry in log], [True, True, False, False])
        self.assertEqual([entry["duplicate"] for entry in log][:2], [False, True])
        self.assertEqual(log[0]["body"], self.BODY.decode())
        self.assertEqual(log[0]["id"], self.HEADERS["webhook-id"])

    def test_old_timestamp(self):
        self.start("receiver.py", "--secret", self.SECRET)
        self.assertEqual(self.post(self.BODY, self.HEADERS), 401)

    def test_hub_signature(self):
        self.start("receiver.py", "--hub-secret", "It's a Secret to Everybody")
        good = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
        self.assertEqual(self.post(b"Hello, World!", {"X-Hub-Signature-256": good}), 200)
        self.assertEqual(self.post(b"Hello, World?", {"X-Hub-Signature-256": good}), 401)

    def test_script(self):
        self.start("receiver.py", "--script", "500*2,429:7", "--script", "/gone=410", "--after", "204")
        self.assertEqual(self.request("POST", "/gone")[0].status, 410)
        answers = [self.request("POST", "/hook")[0] for _ in range(4)]
        self.assertEqual([a.status for a in answers], [500, 500, 429, 204])
        self.assertEqual(answers[2].getheader("Retry-After"), "7")


class Replay(Case):
    EXCHANGES = [
        {"request": {"method": "GET", "url": "https://api.acme.example/list?page=1"},
         "response": {"status": 200, "headers": [
             ["ETag", 'W/"one"'],
             ["Link", '<https://api.acme.example/list?page=2>; rel="next"']],
             "body": '{"url":"https:\\/\\/api.acme.example\\/item","other":"https://elsewhere.example/"}'}},
        {"request": {"method": "GET", "url": "https://api.acme.example/item"},
         "response": {"status": 200, "headers": [], "body": "first"}},
        {"request": {"method": "GET", "url": "https://api.acme.example/item"},
         "response": {"status": 200, "headers": [], "body_base64": base64.b64encode(b"\xff\x00").decode()}},
    ]

    def test_exchanges(self):
        self.start("replay.py", self.write("a.exchanges.json", self.EXCHANGES))
        base = "http://127.0.0.1:%d/api.acme.example" % self.port
        response, body = self.request("GET", "/api.acme.example/list?page=1")
        self.assertEqual(response.getheader("Link"), '<%s/list?page=2>; rel="next"' % base)
        self.assertEqual(json.loads(body), {"url": base + "/item", "other": "https://elsewhere.example/"})
        self.assertEqual(self.request("GET", "/list?page=1")[0].status, 200)
        self.assertEqual(self.request("GET", "/list?page=2")[0].status, 404)
        items = [self.request("GET", "/api.acme.example/item?any=query")[1] for _ in range(3)]
        self.assertEqual(items, [b"first", b"\xff\x00", b"\xff\x00"])

    def test_conditional(self):
        self.start("replay.py", self.write("a.exchanges.json", self.EXCHANGES))
        response, body = self.request("GET", "/list?page=1", headers={"If-None-Match": '"x", "one"'})
        self.assertEqual((response.status, body, response.getheader("ETag")), (304, b"", 'W/"one"'))
        response, _ = self.request("GET", "/list?page=1", headers={"If-None-Match": '"two"'})
        self.assertEqual(response.status, 200)

    def test_routes(self):
        routes = [
            {"path": "/x", "status": 503, "times": 1},
            {"path": "/x", "need": {"X-Token": "t"}, "body": "with token"},
            {"path": "/x", "body": "plain at {{base}} {{port}}"},
            {"path": "^/n/\\d+", "body_json": [1]},
            {"path": "/date", "headers": {"Last-Modified": "Sat, 31 Jan 2026 08:30:00 GMT"}},
        ]
        self.start("replay.py", self.write("routes.json", routes))
        self.assertEqual(self.request("GET", "/x")[0].status, 503)
        self.assertEqual(self.request("GET", "/x", headers={"X-Token": "t"})[1], b"with token")
        plain = "plain at http://127.0.0.1:%d %d" % (self.port, self.port)
        self.assertEqual(self.request("GET", "/x?a=1")[1], plain.encode())
        self.assertEqual(self.request("GET", "/n/12")[1], b"[1]")
        self.assertEqual(self.request("GET", "/n/x")[0].status, 404)
        later = {"If-Modified-Since": "Sat, 31 Jan 2026 08:30:00 GMT"}
        self.assertEqual(self.request("GET", "/date", headers=later)[0].status, 304)
        self.assertEqual(len(self.log()), 6)


class Recordings(Case):
    """The real recordings, where they are at hand."""

    def test_github(self):
        folder = os.path.join(os.environ.get("GUETTE_SHARED", "/nonexistent"), "fixtures")
        if not os.path.isdir(folder):
            self.skipTest("no recordings: GUETTE_SHARED does not lead to them")
        self.start("replay.py", folder)
        response, body = self.request("GET", "/api.github.com/gists/public?per_page=100")
        self.assertEqual(response.status, 200)
        gists = json.loads(body)
        base = "http://127.0.0.1:%d/api.github.com/" % self.port
        self.assertTrue(gists and all(gist["url"].startswith(base) for gist in gists))


if __name__ == "__main__":
    unittest.main()
