"""Reads mail messages as a mail reader does and fails when one is not what guette means to send.

usage: read_mail.py en|fr|hostile FILE...
"""
import email
import email.policy
import re
import sys

HEADERS = {
    "From", "To", "Reply-To", "Subject", "Date", "Message-ID", "In-Reply-To", "References",
    "List-Id", "Auto-Submitted", "X-Auto-Response-Suppress", "Importance", "X-Guette-Severity",
    "X-Guette-Rule", "MIME-Version", "Content-Type",
}


def check(condition, what):
    if not condition:
        sys.exit("read_mail.py: " + what)


def check_headers(message):
    names = message.keys()
    check(set(names) <= HEADERS, "unknown headers: %s" % (set(names) - HEADERS))
    check(len(names) == len(set(names)), "a header stands twice: %s" % names)
    check(str(message["From"]) == "guette <guette@acme.example>", "From: %r" % message["From"])
    check([a.addr_spec for a in message["To"].addresses]
          == ["soc@acme.example", "zoe.oneil@acme.example"], "To: %r" % message["To"])
    check(message["To"].addresses[1].display_name == 'Zoë O\'Neil "Night"',
          "display name: %r" % message["To"].addresses[1].display_name)
    check(message["Auto-Submitted"] == "auto-generated", "Auto-Submitted")
    check(message["Date"].datetime.isoformat() == "2026-11-23T17:41:05+00:00", "Date")
    check(re.fullmatch(r"<alert-[0-9a-f]{32}@acme\.example>", message["Message-ID"].strip()),
          "Message-ID")
    check("Bcc" not in message, "Bcc")
    check(message["In-Reply-To"] == message["References"], "thread")
    check("\n" not in message["Subject"] and "\r" not in message["Subject"], "Subject is folded")


def check_bodies(message):
    check(message.get_content_type() == "multipart/alternative", "type")
    parts = list(message.iter_parts())
    check([p.get_content_type() for p in parts] == ["text/plain", "text/html"], "parts")
    text, html = (p.get_content() for p in parts)
    check(not message.defects and not any(p.defects for p in parts), "defects")
    for body in (text, html):
        check("https://evil" not in body, "a live link")
        check("\x1b" not in body, "an escape sequence")
    check("<script" not in html and "<img" not in html and "<a " not in html, "markup of strangers")
    check(max(map(len, text.splitlines())) <= 80, "a long line in the text")
    return text, html


def check_language(mode, subject, text, html):
    if mode == "en":
        check(re.fullmatch(r"\[guette\] CRITICAL: GitHub personal access token - Acme Corp "
                           r"\([0-9a-f]{8}\)", subject), "Subject: %r" % subject)
        check("hxxps://gist[.]github[.]com/mallory" in text, "link in the text")
        check("hxxps://gist[.]github[.]com/mallory" in html, "link in the HTML")
        check("Revoke it under Settings >" in text and "Settings &gt;" in html, "advice")
    if mode == "fr":
        check("CRITIQUE: Jeton d'accès personnel GitHub - Société Générale de l'Été" in subject,
              "Subject: %r" % subject)
        check("À faire maintenant" in text and "À faire maintenant" in html, "advice")
        check('lang="fr"' in html, "language")


def main():
    mode, paths = sys.argv[1], sys.argv[2:]
    check(paths, "no message to read")
    for path in paths:
        with open(path, "rb") as file:
            message = email.message_from_binary_file(file, policy=email.policy.default)
        check_headers(message)
        text, html = check_bodies(message)
        # What looks like an encoded word in an alert is text, not a word to decode.
        check(("=?" in text.splitlines()[0]) == ("=?" in message["Subject"]), "Subject was decoded")
        check_language(mode, message["Subject"], text, html)


main()
