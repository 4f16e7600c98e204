"""Last line of `./dev test`: counts the results in meson's testlog.json (one JSON object a test)."""
import collections
import json
import pathlib
import sys

log = pathlib.Path(sys.argv[1])
lines = log.read_text().splitlines() if log.exists() else []
counts = collections.Counter(json.loads(line)["result"] for line in lines)
passed = counts.pop("OK", 0) + counts.pop("EXPECTEDFAIL", 0)
skipped = counts.pop("SKIP", 0)
failed = sum(counts.values())  # FAIL, ERROR, TIMEOUT, INTERRUPT, UNEXPECTEDPASS
print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
sys.exit(1 if failed or not passed + skipped else 0)
