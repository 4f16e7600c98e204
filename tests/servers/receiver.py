#!/usr/bin/env python3
"""A webhook receiver that checks signatures and answers by a script.

Signatures: Standard Webhooks (webhook-id, webhook-timestamp, webhook-signature "v1,BASE64" over
"id.timestamp.body", https://www.standardwebhooks.com) with --secret, X-Hub-Signature-256 (HMAC-SHA256
of the body, as GitHub sends it) with --hub-secret. A wrong or missing one is answered 401.

Log: {id, ok, standard, hub, duplicate, status, method, path, headers, body}; standard and hub are null
when not checked; duplicate says that this id was answered 2xx before.
"""

import base64
import hashlib
import hmac
import threading
import time
from http.server import BaseHTTPRequestHandler

import common

EPILOG = """script: answers in turn, separated by commas, then --after for ever.
  500         this status
  500*3       three times
  429:2       with Retry-After: 2
  302:URL     with Location: URL
  hang        no answer until the sender goes away
  close       the connection is closed without an answer
  A leading PATH= gives a path its own script; --script may be repeated.
"""


def script_of(text):
    steps = []
    for word in filter(None, text.split(",")):
        step, _, times = word.partition("*")
        steps += [step] * int(times or 1)
    return steps


class Scripts:
    def __init__(self, texts, after):
        self.after = after
        self.lock = threading.Lock()
        self.steps = {}
        for text in texts:
            path, _, steps = text.partition("=") if text.startswith("/") else ("", "", text)
            self.steps[path] = script_of(steps)

    def next(self, path):
        with self.lock:
            steps = self.steps.get(path, self.steps.get("", []))
            return steps.pop(0) if steps else self.after


def key_of(secret):
    """"whsec_" and base64, as Standard Webhooks writes its secrets; other text is the key itself."""
    if secret.startswith("whsec_"):
        return base64.b64decode(secret.removeprefix("whsec_"))
    return secret.encode()


def standard_ok(secret, headers, body, tolerance):
    message, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not message or not stamp.isdigit():
        return False
    if tolerance and abs(time.time() - int(stamp)) > tolerance:
        return False
    signed = ("%s.%s." % (message, stamp)).encode() + body
    want = base64.b64encode(hmac.new(key_of(secret), signed, hashlib.sha256).digest()).decode()
    got = [s.partition(",") for s in headers.get("webhook-signature", "").split()]
    return any(version == "v1" and hmac.compare_digest(value, want) for version, _, value in got)


def hub_ok(secret, headers, body):
    want = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(headers.get("x-hub-signature-256", ""), want)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def do_POST(self):
        server, options = self.server, self.server.options
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {n.lower(): v for n, v in self.headers.items()}
        standard = hub = None
        if options.secret:
            standard = standard_ok(options.secret, headers, body, options.tolerance)
        if options.hub_secret:
            hub = hub_ok(options.hub_secret, headers, body)
        ok = standard is not False and hub is not False
        step = server.scripts.next(self.path) if ok else "401"
        message = headers.get("webhook-id")
        with server.lock:
            duplicate = message is not None and message in server.accepted
            if step.startswith("2") and message:
                server.accepted.add(message)
        server.log.write(id=message, ok=ok, standard=standard, hub=hub, duplicate=duplicate,
                         status=step, method=self.command, path=self.path, headers=headers,
                         **common.text_of(body))
        self.answer(step)

    do_PUT = do_GET = do_POST

    def answer(self, step):
        if step in ("hang", "close"):
            self.close_connection = True
            if step == "hang":
                common.wait_for_close(self.connection)
            return
        status, _, extra = step.partition(":")
        self.send_response(int(status))
        if extra:
            self.send_header("Location" if status.startswith("3") else "Retry-After", extra)
        self.send_header("Content-Length", "0")
        self.end_headers()


def main():
    p = common.parser(__doc__, EPILOG)
    p.add_argument("--secret", help="of Standard Webhooks, whsec_...")
    p.add_argument("--hub-secret", help="of X-Hub-Signature-256")
    p.add_argument("--tolerance", type=int, default=300, metavar="SECONDS",
                   help="how old a timestamp may be; 0: any (default: %(default)s)")
    p.add_argument("--script", action="append", default=[], help="answers, see below")
    p.add_argument("--after", default="200", help="answer when the script is over (default: 200)")
    options = p.parse_args()
    server = common.Server(options, Handler, common.tls_context(options))
    server.log = common.Log(options.log)
    server.scripts = Scripts(options.script, options.after)
    server.accepted = set()
    server.lock = threading.Lock()
    common.serve(server)


if __name__ == "__main__":
    main()
