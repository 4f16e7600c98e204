#!/usr/bin/env python3
"""A mail sink: takes mail by SMTP (RFC 5321) and logs it.

Log: {"event": "message", "from", "to": [...], "data" (dots unstuffed), "tls", "user", "ehlo"} for each
mail, {"event": "refused", "verb", "argument", "reply"} for each scripted refusal.

With --cert it offers STARTTLS, with --tls too it speaks TLS from the first byte.
"""

import base64
import re
import socketserver
import threading

import common

EPILOG = """answers: --answer 'VERB[:TEXT]=CODE words[*TIMES]', may be repeated; the first that fits answers.
  VERB   CONNECT (greeting), EHLO, AUTH, MAIL, RCPT, DATA (the command), END (after the message)
  TEXT   only when the command holds it
  TIMES  only so often
  --answer 'RCPT:bob@=550 5.1.1 No such user' --answer 'END=451 4.3.0 Try again later*2'
"""

MAX_LINE = 64 * 1024
MAX_MESSAGE = 64 * 1024 * 1024


class Scripted:
    def __init__(self, text):
        match = re.fullmatch(r"([A-Z]+)(?::([^=]*))?=(\d{3} ?.*?)(?:\*(\d+))?", text)
        if not match:
            raise SystemExit("smtpd.py: --answer %r is not VERB[:TEXT]=CODE words[*TIMES]" % text)
        self.verb, self.text, self.reply, times = match.groups()
        self.left = int(times) if times else None

    def fits(self, verb, argument):
        return verb == self.verb and self.left != 0 and (self.text or "") in argument


class Scripts:
    def __init__(self, texts):
        self.answers = [Scripted(text) for text in texts]
        self.lock = threading.Lock()

    def find(self, verb, argument):
        with self.lock:
            for answer in self.answers:
                if answer.fits(verb, argument):
                    if answer.left is not None:
                        answer.left -= 1
                    return answer.reply
        return None


class Handler(socketserver.StreamRequestHandler):
    def setup(self):
        super().setup()
        self.tls = self.server.tls is not None
        self.user = self.ehlo = None
        self.forget()

    def forget(self):
        self.sender, self.recipients = None, []

    def say(self, reply):
        self.wfile.write(reply.encode("utf-8") + b"\r\n")
        self.wfile.flush()

    def line(self):
        raw = self.rfile.readline(MAX_LINE)
        if not raw.endswith(b"\n"):
            raise ConnectionResetError
        return raw.rstrip(b"\r\n")

    def scripted(self, verb, argument):
        reply = self.server.scripts.find(verb, argument)
        if reply and reply[0] in "45":
            self.server.log.write(event="refused", verb=verb, argument=argument, reply=reply)
        return reply

    def handle(self):
        self.say(self.scripted("CONNECT", "") or "220 sink.test ESMTP")
        while True:
            verb, _, argument = self.line().decode("utf-8", "replace").partition(" ")
            verb = verb.upper()
            if verb == "QUIT":
                self.say("221 2.0.0 Bye")
                return
            command = getattr(self, "do_" + verb.lower(), None)
            if not command:
                self.say("502 5.5.1 Unknown command")
                continue
            reply = self.scripted(verb, argument)
            if reply:
                self.say(reply)
            else:
                command(argument)

    def do_ehlo(self, argument):
        self.ehlo = argument
        lines = ["sink.test", "PIPELINING", "8BITMIME", "SMTPUTF8", "SIZE %d" % MAX_MESSAGE]
        if self.server.starttls and not self.tls:
            lines.append("STARTTLS")
        if self.server.options.auth:
            lines.append("AUTH PLAIN LOGIN")
        for line in lines[:-1]:
            self.say("250-" + line)
        self.say("250 " + lines[-1])

    def do_helo(self, argument):
        self.ehlo = argument
        self.say("250 sink.test")

    def do_starttls(self, argument):
        if not self.server.starttls or self.tls:
            self.say("502 5.5.1 Not offered")
            return
        self.say("220 2.0.0 Go ahead")
        self.connection = self.server.starttls.wrap_socket(self.connection, server_side=True)
        self.rfile = self.connection.makefile("rb", self.rbufsize)
        self.wfile = self.connection.makefile("wb", 0)
        self.tls = True
        self.ehlo = None
        self.forget()

    def ask(self, prompt):
        self.say("334 " + base64.b64encode(prompt).decode())
        return base64.b64decode(self.line())

    def credentials(self, argument):
        mechanism, _, first = argument.partition(" ")
        if mechanism.upper() == "PLAIN":
            raw = base64.b64decode(first) if first else self.ask(b"")
            return raw.decode("utf-8", "replace").split("\0")[1:3]
        if mechanism.upper() == "LOGIN":
            user = base64.b64decode(first) if first else self.ask(b"Username:")
            return [user.decode("utf-8", "replace"), self.ask(b"Password:").decode("utf-8", "replace")]
        return None

    def do_auth(self, argument):
        given = self.credentials(argument)
        if given is None:
            self.say("504 5.5.4 Unknown mechanism")
        elif ":".join(given) == self.server.options.auth:
            self.user = given[0]
            self.say("235 2.7.0 Welcome")
        else:
            self.server.log.write(event="refused", verb="AUTH", argument=given[0], reply="535")
            self.say("535 5.7.8 Wrong user name or password")

    def do_mail(self, argument):
        if self.server.options.auth and not self.user:
            self.say("530 5.7.0 Authentication required")
            return
        self.forget()
        self.sender = address_in(argument)
        self.say("250 2.1.0 OK")

    def do_rcpt(self, argument):
        if self.sender is None:
            self.say("503 5.5.1 MAIL first")
            return
        self.recipients.append(address_in(argument))
        self.say("250 2.1.5 OK")

    def do_data(self, argument):
        if not self.recipients:
            self.say("503 5.5.1 RCPT first")
            return
        self.say("354 End with a dot")
        lines, size = [], 0
        while (line := self.line()) != b".":
            size += len(line)
            if size > MAX_MESSAGE:
                raise ConnectionResetError
            lines.append(line[1:] if line.startswith(b".") else line)
        data = b"".join(line + b"\r\n" for line in lines)
        reply = self.scripted("END", "")
        if not reply or reply.startswith("2"):
            self.server.log.write(**{"event": "message", "from": self.sender, "to": self.recipients,
                                     "data": data.decode("utf-8", "replace"), "tls": self.tls,
                                     "user": self.user, "ehlo": self.ehlo})
        self.say(reply or "250 2.0.0 Taken")
        self.forget()

    def do_rset(self, argument):
        self.forget()
        self.say("250 2.0.0 OK")

    def do_noop(self, argument):
        self.say("250 2.0.0 OK")


def address_in(argument):
    match = re.search(r"<([^>]*)>", argument)
    return match.group(1) if match else argument.partition(":")[2].strip()


def main():
    p = common.parser(__doc__, EPILOG)
    p.add_argument("--tls", action="store_true", help="TLS from the first byte (smtps)")
    p.add_argument("--auth", metavar="USER:PASSWORD", help="offer and demand AUTH PLAIN or LOGIN")
    p.add_argument("--answer", action="append", default=[], help="scripted replies, see below")
    options = p.parse_args()
    tls = common.tls_context(options)
    server = common.Server(options, Handler, tls if options.tls else None)
    server.starttls = None if options.tls else tls
    server.log = common.Log(options.log)
    server.scripts = Scripts(options.answer)
    common.serve(server)


if __name__ == "__main__":
    main()
