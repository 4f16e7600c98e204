"""What the test servers share: options, the READY line, the log of JSON lines, ending with the parent."""

import argparse
import base64
import json
import os
import socket
import socketserver
import ssl
import sys
import threading
import time


def parser(description, epilog=None):
    p = argparse.ArgumentParser(
        description=description, epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--port", type=int, default=0, help="0 (default): any free one")
    p.add_argument("--bind", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    p.add_argument("--log", metavar="FILE", help="append what arrives here, one JSON object a line")
    p.add_argument("--cert", metavar="PEM", help="certificate for TLS")
    p.add_argument("--key", metavar="PEM", help="its private key (default: within --cert)")
    p.add_argument("--detached", action="store_true", help="keep running when the parent process ends")
    return p


def tls_context(options):
    if not options.cert:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(options.cert, options.key)
    return context


class Log:
    """JSON lines, each written at once, so that a test can read the file at any moment."""

    def __init__(self, path):
        self.file = open(path, "a", encoding="utf-8") if path else None
        self.lock = threading.Lock()

    def write(self, **fields):
        if not self.file:
            return
        fields.setdefault("at", time.time())
        line = json.dumps(fields, ensure_ascii=False)
        with self.lock:
            self.file.write(line + "\n")
            self.file.flush()


def text_of(body):
    """Fields for a log line: text where it is UTF-8, base64 where not."""
    try:
        return {"body": body.decode("utf-8")}
    except UnicodeDecodeError:
        return {"body_base64": base64.b64encode(body).decode("ascii")}


class Counter:
    """A number that threads share."""

    def __init__(self):
        self.value = 0
        self.lock = threading.Lock()

    def add(self, n=1):
        with self.lock:
            self.value += n
            return self.value


class Server(socketserver.ThreadingTCPServer):
    """One thread a connection; TLS is shaken hands in that thread."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 1024

    def __init__(self, options, handler, tls=None):
        self.tls = tls
        self.options = options
        if ":" in options.bind:
            self.address_family = socket.AF_INET6
        super().__init__((options.bind, options.port), handler)

    def finish_request(self, request, client_address):
        if self.tls:
            request = self.tls.wrap_socket(request, server_side=True)
        super().finish_request(request, client_address)

    def handle_error(self, request, client_address):
        error = sys.exc_info()[1]
        if not isinstance(error, (OSError, ssl.SSLError)):  # the peer went away: part of the tests
            super().handle_error(request, client_address)


def end_with_parent():
    parent = os.getppid()

    def watch():
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()


def serve(server):
    if not server.options.detached:
        end_with_parent()
    print("READY", server.server_address[1], flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass


def wait_for_close(connection, seconds=60):
    """Says nothing until the peer goes away."""
    connection.settimeout(seconds)
    try:
        while connection.recv(4096):
            pass
    except OSError:
        pass
