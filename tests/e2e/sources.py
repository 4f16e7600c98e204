"""Recorded answers of real services on loopback, leaks planted among them: exactly these are told, each once.

The recordings lie outside the project (GUETTE_SHARED); without them the same scenario runs on answers
made here in the documented shapes.
"""
import copy
import email
import email.policy
import html
import json
import sys

import harness
from harness import SHARED, every_backend, github_token, leak_text, wait_until

SECRET = "whsec_bWFkZSB1cCBmb3IgdGhlIHRlc3RzIG9ubHk="  # base64 of "made up for the tests only"
RULE = "github.personal-access-token"


def recorded(name, url_part, made_up):
    """The body of one recorded answer, parsed; `made_up` where there are no recordings."""
    path = SHARED / "fixtures" / name
    if not path.exists():
        return copy.deepcopy(made_up)
    if not name.endswith(".exchanges.json"):
        return json.loads(path.read_text())
    for exchange in json.loads(path.read_text()):
        if url_part in exchange["request"]["url"] and exchange["request"]["method"] == "GET":
            return json.loads(exchange["response"]["body"])
    raise AssertionError(f"{name} holds no answer to {url_part}")


class Plan:
    """Routes of one replay server a service (rates are per host), and the tokens planted in them."""

    def __init__(self):
        self.routes, self.planted, self.sources = {}, {}, []

    def leak(self, where):
        self.planted[github_token(where)] = where
        return leak_text(where)

    def route(self, service, path, body, **more):
        if not isinstance(body, str):
            body = json.dumps(body)
        self.routes.setdefault(service, []).append({"path": path, "body": body, **more})

    def site(self, name, more=""):
        self.sources.append(f'  - {{name: {name}, type: site, site: {name}, interval: 2s, '
                            f'base: "BASE-{name}", allow_private: true{more}}}')

    def feed(self, name):
        self.sources.append(f'  - {{name: {name}, type: feed, url: "BASE-feeds/{name}", interval: 2s, '
                            'allow_private: true}')

    def serve(self, run):
        """Starts the servers; returns them with the sources' configuration."""
        servers, config = [], "\n".join(self.sources)
        for service, routes in self.routes.items():
            file = run.folder / f"{service}.routes.json"
            file.write_text(json.dumps(routes))
            servers.append(run.server("replay.py", file))
            config = config.replace(f"BASE-{service}", f"http://127.0.0.1:{servers[-1].port}")
        return servers, config


def plan_gists(plan):
    gists = recorded("github/pygithub-Github.testGetGistsWithSince.exchanges.json", "/gists/public", [
        {"id": f"ab{n}", "html_url": f"https://gist.github.com/ab{n}", "public": True,
         "created_at": "2026-01-31T08:30:00Z", "updated_at": "2026-01-31T08:30:00Z",
         "owner": {"login": "mallory"}, "description": "d", "files": {}} for n in range(3)])
    plan.route("github-gists", "/gists/public", gists, headers={"ETag": '"gists"'})
    for number, gist in enumerate(gists):
        content = plan.leak(f"gist {number}") if number % 2 == 0 else "nothing here"
        files = {"a.env": {"filename": "a.env", "content": content, "truncated": False,
                           "raw_url": "{{base}}/raw/1"}}
        if number == 1:  # what the answer cut is fetched whole
            files["big.sql"] = {"filename": "big.sql", "content": "INSERT", "truncated": True,
                                "raw_url": "{{base}}/raw/big"}
            plan.route("github-gists", "/raw/big", "INSERT 1;\n" + plan.leak("gist raw"))
        plan.route("github-gists", f"/gists/{gist['id']}", {**gist, "files": files})
    plan.site("github-gists")


def plan_events(plan):
    push = {"id": "1", "type": "PushEvent", "actor": {"login": "mallory"}, "repo": {"name": "m/r"},
            "payload": {"before": "a" * 40, "head": "b" * 40, "commits": [{"sha": "b" * 40, "message": "m"}]},
            "created_at": "2026-01-31T08:30:00Z", "public": True}
    events = recorded("github/pygithub-Github.testGetEvents.exchanges.json", "/events",
                      [{**copy.deepcopy(push), "id": str(n)} for n in range(1, 6)])
    pushes = [e for e in events if e["type"] == "PushEvent" and e["payload"].get("commits")][:3]
    for number, event in enumerate(pushes):
        event["payload"]["commits"][0]["message"] = plan.leak(f"event {number}")
    plan.route("github-events", "/events", events, headers={"ETag": '"events"', "X-Poll-Interval": "1"})
    plan.site("github-events")


def plan_snippets(plan):
    snippets = recorded("gitlab/docs-snippets-public.json", "", [
        {"id": n, "title": "t", "file_name": "a.rb", "author": {"username": "mallory"},
         "created_at": "2026-01-31T08:30:00Z", "updated_at": "2026-01-31T08:30:00Z",
         "web_url": f"https://gitlab.com/-/snippets/{n}"} for n in (49, 48)])
    plan.route("gitlab-snippets", "/api/v4/snippets/public", snippets)
    for number, snippet in enumerate(snippets):
        text = plan.leak("snippet") if number == 0 else "puts 1"
        plan.route("gitlab-snippets", f"/api/v4/snippets/{snippet['id']}/raw", text)
    plan.site("gitlab-snippets")


def plan_hacker_news(plan):
    top = int(recorded("hackernews/maxitem.json", "", 9130260))
    item = recorded("hackernews/item-8863.json", "", {
        "by": "mallory", "id": 8863, "time": 1175714200, "type": "story", "title": "t", "url": "https://x.test"})
    plan.route("hacker-news", "/v0/maxitem.json", str(top))
    for number in range(top - 40, top + 1):
        body = {**item, "id": number, "title": f"item {number}"}
        if number == top - 3:
            leak = plan.leak("hacker news")
            body = {**body, "type": "comment", "text": "<p>see <code>" + html.escape(leak) + "</code>"}
        plan.route("hacker-news", f"/v0/item/{number}.json", "null" if number == top - 5 else body)
    plan.site("hacker-news")


def plan_mastodon(plan):
    made_up = [{"id": str(n), "uri": f"https://m.test/{n}", "url": f"https://m.test/@a/{n}",
                "created_at": "2026-01-31T08:30:00.000Z", "edited_at": None, "content": "<p>hello</p>",
                "spoiler_text": "", "account": {"acct": "mallory"}, "media_attachments": []}
               for n in range(117020574694606796, 117020574694606802)]
    posts = recorded("mastodon/test_public_tl_anonymous.exchanges.json", "/api/v1/timelines/public", made_up)
    for number in (0, 2):
        lines = "<br />".join(html.escape(line) for line in plan.leak(f"mastodon {number}").splitlines())
        posts[number]["content"] = f"<p>look at this: {lines}</p>"
    newest = max((p["id"] for p in posts), key=lambda text: (len(text), text))
    plan.route("mastodon-public", f"/api/v1/timelines/public?limit=40&min_id={newest}", [])
    plan.route("mastodon-public", "/api/v1/timelines/public", posts)
    plan.site("mastodon-public", ', params: ["instance=mastodon.test"]')


def plan_pastebin(plan):
    rows = [{"key": f"key{n:05}", "date": str(1770000000 + n), "full_url": f"https://pastebin.com/key{n:05}",
             "scrape_url": "", "size": "10", "expire": "0", "title": "t", "syntax": "text", "user": ""}
            for n in range(5)]
    plan.route("pastebin", "/api_scraping.php", rows)
    for number, row in enumerate(rows):
        text = plan.leak("paste") if number == 1 else "nothing"
        if number == 3:
            text = "Error, we cannot find this paste."
        plan.route("pastebin", f"/api_scrape_item.php?i={row['key']}", text)
    plan.site("pastebin")


def plan_feeds(plan):
    rss = ('<?xml version="1.0"?><rss version="2.0"><channel><title>t</title>%s</channel></rss>')
    item = "<item><guid>%s</guid><link>https://f.test/%s</link><description>%s</description></item>"
    items = "".join(item % (n, n, html.escape("<p>" + html.escape(
        plan.leak("feed") if n == 2 else "nothing") + "</p>")) for n in range(4))
    plan.route("feeds", "/rss", rss % items, headers={"Content-Type": "application/rss+xml"})
    plan.feed("rss")
    recorded_feed = SHARED / "fixtures" / "feeds" / "rss-bridge" / "expectedAtomFormat-feed.common.xml"
    if recorded_feed.exists():
        text = recorded_feed.read_text()
        at = text.index("</content>")
        text = text[:at] + html.escape(plan.leak("atom")) + text[at:]
        plan.route("feeds", "/atom", text, headers={"Content-Type": "application/atom+xml"})
        plan.feed("atom")


def told_by_webhook(server):
    found = {}
    for entry in server.entries():
        assert entry["standard"], entry
        data = json.loads(entry["body"])["data"]
        if entry["status"] == "200" and data["finding"]["rule"] == RULE:
            found[data["alert_id"]] = found.get(data["alert_id"], 0) + 1
    return found


@every_backend
def test_planted_leaks(run):
    plan = Plan()
    for part in (plan_gists, plan_events, plan_snippets, plan_hacker_news, plan_mastodon, plan_pastebin,
                 plan_feeds):
        part(plan)
    web, sources = plan.serve(run)
    hook, smtp = run.server("receiver.py", "--secret", SECRET), run.server("smtpd.py")
    run.write_config(
        sources=sources,
        channels=f'  - {{name: hook, type: webhook, url: "http://127.0.0.1:{hook.port}/", '
                 f'secret: "{SECRET}", allow_private: true}}\n'
                 f'  - {{name: mail, type: email, server: "smtp://127.0.0.1:{smtp.port}", '
                 f'starttls: never, from: guette@acme.example, to: [soc@acme.example]}}\n',
        more="limits: {requests_per_second: 500, connections_per_host: 8}")
    run.start("run")
    count = len(plan.planted)
    try:
        wait_until(lambda: len(told_by_webhook(hook)) >= count, f"{count} planted leaks", 120)
    except AssertionError:
        print("told from:", sorted(f["document"]["source"] for f in run.alerts_of(RULE).values()))
        print("planted:", sorted(plan.planted.values()))
        raise
    before = len(web[-1].entries())  # sites have intervals of their own; feeds come again soon
    wait_until(lambda: len(web[-1].entries()) > before + 3, "the feeds to be polled again")
    wait_until(run.drained, "an empty queue")
    wait_until(lambda: run.status()["store"]["deliveries_pending"] == 0, "all deliveries")
    told = told_by_webhook(hook)
    assert len(told) == count and set(told.values()) == {1}, told
    places = sorted(f["document"]["source"] for f in run.alerts_of(RULE).values())
    print(f"  {count} planted leaks from {len(set(places))} sources, each told once")
    subjects = [email.message_from_string(e["data"], policy=email.policy.default)["Message-ID"]
                for e in smtp.entries() if e["event"] == "message"]
    assert len(subjects) == len(set(subjects)) == len(hook.entries()), len(subjects)
    text = run.logs() + run.alerts.read_text() + hook.log.read_text() + smtp.log.read_text()
    assert not [where for token, where in plan.planted.items() if token in text], "a plain secret was told"
    agents = {e["headers"].get("user-agent") for server in web for e in server.entries()}
    assert all(a and a.startswith("guette/") and "soc@acme.example" in a for a in agents), agents


def test_unreachable_sources_do_not_stop_others(run):
    run.write_config(sources='  - {name: dead, type: feed, url: "http://127.0.0.1:9/feed", interval: 1s, '
                     'allow_private: true}\n'
                     '  - {name: unknown, type: feed, url: "https://no-such-host.invalid/feed", interval: 1s}\n'
                     '  - {name: private, type: feed, url: "http://127.0.0.1:9/feed", interval: 1s}\n'
                     + run.inbox_yaml())
    run.start("run")
    (run.inbox() / "a.txt").write_text(leak_text("a"))
    wait_until(lambda: run.alerts_of(RULE), "the alert")
    run.wait_log("source.failed", 3)
    sources = run.status()["sources"]
    assert all(sources[name]["failures"] >= 1 for name in ("dead", "unknown", "private")), sources
    assert "allow_private" in sources["private"]["error"], sources["private"]
    wait_until(lambda: run.status()["sources"]["dead"]["failures"] >= 3, "some failures more", 60)
    told = [json.loads(line) for line in run.logs().splitlines() if '"source.failed"' in line]
    assert {line["failures"] for line in told} <= {1, 4, 16}, "a source that stays away fills no log"


def test_a_source_that_comes_back_is_told(run):
    folder = run.folder / "later"
    run.write_config(sources=f"  - {{name: later, type: folder, path: {folder}, interval: 1s}}\n")
    run.start("run")
    run.wait_log("source.failed")
    folder.mkdir()
    run.wait_log("source.recovered")


def test_a_feed_that_never_ends(run):
    routes = run.folder / "endless.routes.json"
    routes.write_text(json.dumps([{"path": "/feed", "body": "<rss>", "fault": "endless"}]))
    web = run.server("replay.py", routes)
    run.write_config(sources=f'  - {{name: endless, type: feed, url: "http://127.0.0.1:{web.port}/feed", '
                     'interval: 1s, allow_private: true, max_size: 1MiB, timeout: 20s}\n' + run.inbox_yaml())
    run.start("run")
    run.wait_log("source.failed")
    (run.inbox() / "a.txt").write_text(leak_text("a"))
    wait_until(lambda: run.alerts_of(RULE), "the alert of the other source")


if __name__ == "__main__":
    harness.main(sys.modules["__main__"], ("sqlite", "redis"))
