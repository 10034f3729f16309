"""Runs schemathesis over the mutants that `accord contract mutate --write` made,
and prints both scores by kind of mutant.

A mutant is killed where a run on it has a failure that no run on the unchanged
document has, with the same operations, seed, options and seconds. Two failures
are the same where check, operation, and the schema or status that they speak of
are. Schemathesis stays warm: it is imported once, and each run is a fork.
"""

import argparse
import collections
import itertools
import json
import math
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import schemathesis
import schemathesis.cli
import schemathesis.cli.commands.run.executor  # noqa: F401 - so that forks have it
from schemathesis.cli.commands import schemathesis as command

PEOPLE = 30
TOKEN_LIFE = 20 * 60  # seconds; a token lives for 30 minutes


def new_address():
    """An address that nothing has asked from for a while."""
    n = random.SystemRandom().getrandbits(24)
    return f"11.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}"


class People:
    """Administrators with tokens that hold, however runs end their sessions."""

    def __init__(self, options):
        self.options = options
        self.tokens = {f"side{i}": ("", 0.0) for i in range(PEOPLE)}
        self.made = itertools.count(PEOPLE)

    def ask(self, path, token="", form=None):
        data = urllib.parse.urlencode(form).encode() if form else None
        request = urllib.request.Request(self.options.url + path, data)
        request.add_header("X-Forwarded-For", new_address())
        if token:
            request.add_header("Authorization", "Bearer " + token)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError:
            return None

    def sign_in(self, name):
        form = {"grant_type": "password", "username": name, "password": "Admin-demo-1"}
        answer = self.ask("/api/v1/auth/login", form=form)
        return answer and answer["access_token"]

    def make(self):
        name = f"side{next(self.made)}"
        words = [self.options.accord, "user", "create", "--email", f"{name}@example.com", "--username", name, "--role", "admin", "--verified"]
        subprocess.run(words, input=b"Admin-demo-1\n", cwd=self.options.dir, check=True, stdout=subprocess.DEVNULL)
        return name

    def ready(self):
        """Signs in anew whose token does not hold, and makes up for who is gone."""
        now = time.time()
        for name, (token, since) in list(self.tokens.items()):
            me = now - since < TOKEN_LIFE and self.ask("/api/v1/users/me", token)
            if me and me["role"] == "admin":
                continue
            token = self.sign_in(name)
            me = token and self.ask("/api/v1/users/me", token)
            del self.tokens[name]
            if not me or me["role"] != "admin":
                name = self.make()
                token = self.sign_in(name)
            self.tokens[name] = (token, now)
        return [token for token, _ in self.tokens.values()]


def register(tokens):
    """Gives each request of this process a token in turn, and an address."""
    turn, lock = itertools.cycle(tokens), threading.Lock()

    @schemathesis.auth(refresh_interval=None)
    class Turn:
        def get(self, case, ctx):
            with lock:
                return next(turn)

        def set(self, case, data, ctx):
            case.headers = case.headers or {}
            case.headers["Authorization"] = "Bearer " + data

    @schemathesis.hook
    def before_call(ctx, case, kwargs):
        case.headers = case.headers or {}
        case.headers["X-Forwarded-For"] = new_address()


def same(failure):
    """What two failures have in common that are the same, without any value."""
    message = failure.get("message") or ""
    spoken = re.findall(r"^(?:Schema at \S+|Received: .*|.*for status code \d+)", message, re.MULTILINE)
    return (failure["code"], failure["operation"], failure["title"], *spoken)


def failures_of(report):
    found, cases = set(), 0
    if not report.exists():
        return found, cases
    for line in report.read_text().splitlines():
        try:
            event = json.loads(line).get("ScenarioFinished")
        except ValueError:  # the last line of a run that was ended
            continue
        for checks in (event or {}).get("recorder", {}).get("checks", {}).values():
            cases += 1
            found.update(same(check["failure_info"]["failure"]) for check in checks if check.get("failure_info"))
    return found, cases


def run(options, document, operations, seconds, tokens):
    """Runs schemathesis on the operations of a document in a fork."""
    report = pathlib.Path(options.dir, "report.ndjson")
    report.unlink(missing_ok=True)
    words = ["run", str(document), "--url", options.url, "--checks", "all", "--phases", "examples,coverage,fuzzing,stateful"]
    words += ["--seed", "1", "--max-time", str(seconds), "--no-shrink", "--continue-on-failure", "--no-color"]
    words += ["--generation-database", "none", "--report", "ndjson", "--report-ndjson-path", str(report)]
    for operation in operations:
        words += ["--include-operation-id", operation]
    child = os.fork()
    if child == 0:
        with open(pathlib.Path(options.dir, "schemathesis.log"), "w") as log:
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
        os.chdir(options.dir)
        register(tokens)
        try:
            command.main(args=words, prog_name="schemathesis", standalone_mode=True)
        finally:
            os._exit(0)
    deadline = time.time() + 2 * seconds + 30
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        if time.time() > deadline:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            break
        time.sleep(0.05)
    return failures_of(report)


KINDS = [
    ("rate or body limit, idempotency, cache", r"/x-policy"),
    ("security", r"/security$"),
    ("status", r"/responses$"),
    ("header", r"/headers/[^/]+$"),
    ("content type", r"/content$"),
    ("length, number of items, range", r"/((min|max)(Length|Items|Properties|imum)|exclusive(Min|Max)imum)$"),
    ("pattern", r"/pattern$"),
    ("listed value", r"/enum/\d+$"),
    ("type", r"/type$"),
    ("format", r"/format$"),
    ("required", r"/required(/\d+)?$"),
    ("members of one's own", r"/(additionalProperties|uniqueItems)$"),
    ("member", r"/properties/[^/]+$"),
    ("parameter's name", r"/name$"),
    ("operation", r"^/paths/[^/]+/[^/]+$"),
]


def kind(mutant):
    return next((name for name, expr in KINDS if re.search(expr, mutant["pointer"])), "other")


def main():
    parser = argparse.ArgumentParser()
    for name in ("url", "mutants", "accord", "dir"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--floor", type=float, required=True)
    options = parser.parse_args()
    folder = pathlib.Path(options.mutants)
    told = json.loads((folder / "mutants.json").read_text())
    mutants = told["mutants"]
    share = told["seconds"] / len(mutants)
    seconds = math.ceil(max(share, options.floor))
    unchanged = folder / "unchanged.json"
    with urllib.request.urlopen(options.url + "/api/openapi.json") as answer:
        unchanged.write_bytes(answer.read())
    people, before = People(options), {}
    table = collections.defaultdict(lambda: [0, 0, 0])
    cases, began, both = 0, time.time(), collections.Counter()
    for i, mutant in enumerate(mutants, 1):
        operations = tuple(mutant["operations"])
        if operations not in before:
            before[operations], _ = run(options, unchanged, operations, seconds, people.ready())
        failures, n = run(options, folder / mutant["file"], operations, seconds, people.ready())
        cases += n
        killed = sorted(failures - before[operations])
        row = table[kind(mutant)]
        row[0] += 1
        row[1] += bool(mutant["killer"])
        row[2] += bool(killed)
        both[bool(mutant["killer"]), bool(killed)] += 1
        if killed and not mutant["killer"]:
            print(f"schemathesis only: {mutant['pointer']}: {mutant['what']}: {' '.join(killed[0])}", flush=True)
        print(f"\r{i}/{len(mutants)} ", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    show(table, both, len(mutants))
    print(f"accord: {told['seconds']:.0f} s for all, {share:.1f} s for each, its cases of the unchanged document included")
    print(f"schemathesis {schemathesis.__version__}: {seconds} s for each, {cases} cases; {len(before)} runs on the unchanged document come on top; {time.time() - began:.0f} s in all")


def show(table, both, all_of_them):
    width = max(len(name) for name in table)
    print(f"{'kind of mutant':{width}}  mutants  accord  schemathesis")
    for name, (n, accord, other) in sorted(table.items(), key=lambda item: -item[1][0]):
        print(f"{name:{width}}  {n:7}  {accord:6}  {other:12}")
    sums = [sum(row[i] for row in table.values()) for i in range(3)]
    print(f"{'all':{width}}  {sums[0]:7}  {sums[1]:6}  {sums[2]:12}")
    print(f"{'':{width}}  {'':7}  {sums[1] / all_of_them:5.1%}  {sums[2] / all_of_them:11.1%}")
    print(f"both {both[True, True]}, accord only {both[True, False]}, schemathesis only {both[False, True]}, neither {both[False, False]}")


main()
