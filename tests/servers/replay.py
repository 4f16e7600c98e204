#!/usr/bin/env python3
"""An HTTP server that answers from recordings and from a list of routes, and misbehaves on demand.

Files:
  *.exchanges.json  recorded: [{"request": {"method", "url"}, "response": {"status",
                    "headers": [[name, value]], "body" | "body_base64"}}]
  other *.json      routes: [{"path": "/x?y=1", ...}], the first that matches answers:
    path            with a query: exactly this; without: whatever the query; "^...": a regular
                    expression for path and query. Not counting a /HOST before it.
    host            only for this host, see below
    method          default GET (HEAD is answered like GET, without the body)
    status          default 200
    headers         {name: value} or [[name, value]]
    body            text; or body_file (relative to the routes file), body_base64, body_json
    body_repeat     so many times over
    gzip            true: compressed when the client takes gzip
    delay_ms        wait before the answer
    times           answer only so often, then later routes get their turn
    need            {header: value} that the request must have, else the route does not match
    fault           see below; fault_arg: its argument
  A folder stands for the *.exchanges.json and *.routes.json files below it.

Hosts: what was recorded for https://api.github.com/events is served as /api.github.com/events, and
as /events when no recording of that path has another host. In headers and text bodies, URLs of known
hosts are rewritten to this server (http://127.0.0.1:PORT/api.github.com/...); {{base}} stands for the
server as the client calls it, {{port}} for its port.

The same request recorded several times is answered in that order, the last one again and again. A GET
whose query was not recorded gets the recording of the path alone, unless it asks for a `page`.
If-None-Match and If-Modified-Since are honoured against ETag and Last-Modified of the answer.
"""

import base64
import gzip
import json
import os
import re
import threading
import time
import zlib
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qsl, urlsplit

import common

EPILOG = """faults:
  slow            one byte of the body every fault_arg milliseconds (default 100)
  endless         a body that never ends
  wrong_length    Content-Length says fault_arg bytes more (default 100) than come
  truncated_gzip  half of a gzip body
  damaged_gzip    gzip that breaks in the middle
  gzip_bomb       fault_arg MiB (default 100) of zeros, compressed
  half            half of the body, then the connection is closed
  close           the connection is closed without an answer
  garbage         bytes that are no HTTP
  many_headers    fault_arg headers (default 10000)
  redirect_loop   to itself, for ever
  redirect        to fault_arg (default: a cloud metadata address), with the route's status or 302
  hang            no answer until the client goes away
"""

HOP = {"content-length", "transfer-encoding", "connection", "content-encoding"}


class Answer:
    def __init__(self, status, headers, body, base=None):
        self.status = status
        pairs = headers.items() if isinstance(headers, dict) else headers
        self.headers = [(n, str(v)) for n, v in pairs if n.lower() not in HOP]
        self.body = body
        self.route = base or {}

    def header(self, name):
        return next((v for n, v in self.headers if n.lower() == name), None)


def body_of(fields, folder):
    if "body_base64" in fields:
        body = base64.b64decode(fields["body_base64"])
    elif "body_file" in fields:
        with open(os.path.join(folder, fields["body_file"]), "rb") as f:
            body = f.read()
    elif "body_json" in fields:
        body = json.dumps(fields["body_json"]).encode()
    else:
        body = (fields.get("body") or "").encode()
    return body * fields.get("body_repeat", 1)


class Route:
    def __init__(self, fields, folder):
        self.fields = fields
        self.method = fields.get("method", "GET")
        self.host = fields.get("host")
        self.path = fields["path"]
        self.regex = re.compile(self.path) if self.path.startswith("^") else None
        self.left = fields.get("times")
        self.need = {n.lower(): v for n, v in fields.get("need", {}).items()}
        self.answer = Answer(fields.get("status", 200), fields.get("headers", {}),
                             body_of(fields, folder), fields)

    def matches(self, method, host, target, headers):
        if self.method != ("GET" if method == "HEAD" else method) or self.left == 0:
            return False
        if self.host and host and self.host != host:
            return False
        if any(headers.get(n) != v for n, v in self.need.items()):
            return False
        if self.regex:
            return bool(self.regex.fullmatch(target))
        return target == self.path or target.split("?")[0] == self.path


class Library:
    """All answers, and which one comes next."""

    def __init__(self, hosts):
        self.routes = []
        self.recorded = {}  # (method, host or None, path, query or None) -> [answers]
        self.played = {}
        self.hosts = set(hosts)
        self.port = 0
        self.lock = threading.Lock()

    def load(self, path):
        if os.path.isdir(path):
            for folder, _, names in sorted(os.walk(path)):
                for name in sorted(names):
                    if name.endswith((".exchanges.json", ".routes.json")):
                        self.load(os.path.join(folder, name))
            return
        with open(path, encoding="utf-8") as f:
            content = json.load(f)
        if path.endswith(".exchanges.json"):
            for exchange in content:
                self.add(exchange)
        else:
            folder = os.path.dirname(path)
            self.routes += [Route(fields, folder) for fields in content]
            self.hosts |= {r.host for r in self.routes if r.host}

    def add(self, exchange):
        request, response = exchange["request"], exchange["response"]
        url = urlsplit(request["url"])
        if url.netloc:
            self.hosts.add(url.netloc)
        answer = Answer(response["status"], response.get("headers", []), body_of(response, "."))
        query = tuple(sorted(parse_qsl(url.query, keep_blank_values=True)))
        for host in {url.netloc or None, None}:
            for q in (query, None):
                key = (request.get("method", "GET"), host, url.path or "/", q)
                self.recorded.setdefault(key, []).append(answer)

    def split_host(self, target):
        first = target[1:].split("/", 1)[0].split("?")[0]
        if first in self.hosts:
            rest = target[1 + len(first):]
            return first, rest if rest.startswith("/") else "/" + rest
        return None, target

    def find_recorded(self, method, host, target):
        url = urlsplit(target)
        pairs = parse_qsl(url.query, keep_blank_values=True)
        exact = (method, host, url.path, tuple(sorted(pairs)))
        loose = (method, host, url.path, None)
        key = exact if exact in self.recorded else loose
        if key is loose and (method != "GET" or "page" in dict(pairs)):
            return None
        answers = self.recorded.get(key)
        if not answers:
            return None
        n = self.played.get(key, 0)
        self.played[key] = n + 1
        return answers[min(n, len(answers) - 1)]

    def find(self, method, target, headers):
        host, rest = self.split_host(target)
        with self.lock:
            for route in self.routes:
                if route.matches(method, host, rest, headers):
                    if route.left is not None:
                        route.left -= 1
                    return route.answer
            return self.find_recorded("GET" if method == "HEAD" else method, host, rest)

    def rewrite(self, text, base):
        """URLs of known hosts lead here; also as JSON escapes them."""
        for host in sorted(self.hosts, key=len, reverse=True):
            for escape in ("/", "\\/"):
                old = re.compile(r"https?:%s%s(?![\w.:-])" % (re.escape(escape * 2), re.escape(host)))
                text = old.sub(lambda _: (base + "/" + host).replace("/", escape), text)
        return text.replace("{{base}}", base).replace("{{port}}", str(self.port))


def unchanged(headers, answer):
    """RFC 9110, section 13: weak comparison; If-None-Match wins."""
    if answer.status != 200:
        return False
    wanted, etag = headers.get("if-none-match"), answer.header("etag")
    if wanted is not None:
        plain = [w.strip().removeprefix("W/") for w in wanted.split(",")]
        return wanted.strip() == "*" or (etag is not None and etag.removeprefix("W/") in plain)
    since, modified = headers.get("if-modified-since"), answer.header("last-modified")
    try:
        return bool(since and modified and
                    parsedate_to_datetime(modified) <= parsedate_to_datetime(since))
    except (TypeError, ValueError):
        return False


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def read_body(self):
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def answer(self):
        server = self.server
        running = server.running.add(1)
        try:
            body = self.read_body()
            headers = {n.lower(): v for n, v in self.headers.items()}
            found = server.library.find(self.command, self.path, headers)
            status = found.status if found else 404
            if found and unchanged(headers, found):
                status = 304
            server.log.write(method=self.command, path=self.path, headers=headers, status=status,
                             matched=found is not None, running=running,
                             peer=self.client_address[1], time=time.monotonic(),
                             **common.text_of(body))
            if found:
                time.sleep(found.route.get("delay_ms", server.options.delay_ms) / 1000)
        finally:
            # Before the first byte goes out: a client that counts its requests under way cannot
            # have sent the next one yet.
            server.running.add(-1)
        self.send(found or Answer(404, {"Content-Type": "application/json"},
                                  b'{"message":"not recorded"}'), status)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = answer

    def base(self):
        scheme = "https" if self.server.tls else "http"
        return scheme + "://" + self.headers.get("Host", "localhost")

    def send(self, found, status):
        library, base = self.server.library, self.base()
        headers = [(n, library.rewrite(v, base)) for n, v in found.headers]
        fault = found.route.get("fault")
        body = found.body
        if not fault and body[:2] != b"\x1f\x8b":
            try:
                body = library.rewrite(body.decode("utf-8"), base).encode("utf-8")
            except UnicodeDecodeError:
                pass
        if fault:
            self.close_connection = True
            FAULTS[fault](self, found, headers, body, found.route.get("fault_arg"))
        else:
            self.send_whole(found, status, headers, body)

    def send_whole(self, found, status, headers, body):
        if found.route.get("gzip") and "gzip" in self.headers.get("Accept-Encoding", ""):
            body = gzip.compress(body)
            headers = headers + [("Content-Encoding", "gzip")]
        if status in (204, 304):
            self.write(self.head(status, headers))
            return
        headers = headers + [("Content-Length", str(len(body)))]
        self.write(self.head(status, headers) + (b"" if self.command == "HEAD" else body))

    def head(self, status, headers):
        try:
            phrase = HTTPStatus(status).phrase
        except ValueError:
            phrase = "Unknown"
        lines = ["HTTP/1.1 %d %s" % (status, phrase)] + ["%s: %s" % h for h in headers]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8")

    def write(self, data):
        self.wfile.write(data)
        self.wfile.flush()


def fault_slow(h, found, headers, body, arg):
    h.write(h.head(found.status, headers + [("Content-Length", str(len(body)))]))
    for byte in body:
        h.write(bytes([byte]))
        time.sleep((arg or 100) / 1000)


def fault_endless(h, found, headers, body, arg):
    h.write(h.head(found.status, headers + [("Transfer-Encoding", "chunked")]))
    piece = (body or b"endless ") * (16384 // len(body or b"endless ") + 1)
    while True:
        h.write(b"%x\r\n%s\r\n" % (len(piece), piece))


def fault_wrong_length(h, found, headers, body, arg):
    h.write(h.head(found.status, headers + [("Content-Length", str(len(body) + (arg or 100)))]) + body)


def send_gzip(h, found, headers, packed):
    h.write(h.head(found.status, headers + [("Content-Encoding", "gzip"),
                                            ("Content-Length", str(len(packed)))]) + packed)


def fault_truncated_gzip(h, found, headers, body, arg):
    packed = gzip.compress(body)
    send_gzip(h, found, headers, packed[:len(packed) // 2])


def fault_damaged_gzip(h, found, headers, body, arg):
    packed = gzip.compress(body)
    half = len(packed) // 2
    send_gzip(h, found, headers, packed[:half] + b"\xff" * (len(packed) - half))


def fault_gzip_bomb(h, found, headers, body, arg):
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    zeros = bytes(1024 * 1024)
    pieces = [packer.compress(zeros) for _ in range(arg or 100)]
    send_gzip(h, found, headers, b"".join(pieces) + packer.flush())


def fault_half(h, found, headers, body, arg):
    h.write(h.head(found.status, headers + [("Content-Length", str(len(body)))])
            + body[:len(body) // 2])


def fault_close(h, found, headers, body, arg):
    pass


def fault_garbage(h, found, headers, body, arg):
    h.write(bytes(range(256)) * 4)


def fault_many_headers(h, found, headers, body, arg):
    many = [("X-Filler-%d" % i, "x" * 20) for i in range(arg or 10000)]
    h.write(h.head(found.status, headers + many + [("Content-Length", "0")]))


def fault_redirect_loop(h, found, headers, body, arg):
    h.write(h.head(302, headers + [("Location", h.path), ("Content-Length", "0")]))


def fault_redirect(h, found, headers, body, arg):
    to = h.server.library.rewrite(arg or "http://169.254.169.254/latest/meta-data/", h.base())
    status = found.status if 300 <= found.status < 400 else 302
    h.write(h.head(status, headers + [("Location", to), ("Content-Length", "0")]))


def fault_hang(h, found, headers, body, arg):
    common.wait_for_close(h.connection)


FAULTS = {name.removeprefix("fault_"): f for name, f in globals().items()
          if name.startswith("fault_")}


def main():
    p = common.parser(__doc__, EPILOG)
    p.add_argument("--host", action="append", default=[], metavar="NAME",
                   help="one more host whose URLs are rewritten; may be repeated")
    p.add_argument("--delay-ms", type=int, default=0, help="wait before every answer")
    p.add_argument("files", nargs="*", metavar="FILE", help="exchanges, routes or folders of them")
    options = p.parse_args()
    library = Library(options.host)
    for path in options.files:
        library.load(path)
    server = common.Server(options, Handler, common.tls_context(options))
    server.library = library
    library.port = server.server_address[1]
    server.log = common.Log(options.log)
    server.running = common.Counter()
    common.serve(server)


if __name__ == "__main__":
    main()
