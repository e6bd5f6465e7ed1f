#!/usr/bin/env python3
"""Builds and tests section by section, as .ci/run does: `make check`.

Stops at the first section that fails, and repeats at the end the lines that say what did. The last line is
"N passed, N failed": the tests of all sections.

    scripts/check.py                  what CI runs
    scripts/check.py release interop  these sections only
"""

import argparse
import collections
import os
import pathlib
import re
import subprocess
import sys
import time

# What the lines about a failure look like: our runners', ctest's, doctest's and the sanitizers', the compilers', Python's.
FAILURE = re.compile(r"\s*(?:FAIL|not ok )|.*\*\*\*|.*\b(?:ERROR|error|WARNING: ThreadSanitizer): |\w*(?:Error|Exception|Failure): ")
REPEATED_LINES = 40
ROOT = pathlib.Path(__file__).resolve().parent.parent
JOBS = os.environ.get("JOBS") or str(os.cpu_count())
# ThreadSanitizer is for what has threads; the other modules are pure and tested without it.
THREADED = ["base", "storage", "net", "roles", "client", "load", "crash"]


def preset(name: str, *targets: str) -> list[list[str]]:
    build = ["cmake", "--build", "--preset", name, "-j", JOBS]
    return [["cmake", "--preset", name], build + (["--target", *targets] if targets else [])]


def ctest(name: str, *options: str) -> list[str]:
    return ["ctest", "--test-dir", f"build/{name}", "--output-on-failure", "--timeout", "900", "-j", JOBS, *options]


SECTIONS: dict[str, list[list[str]]] = {
    "release": [*preset("release"), ctest("release")],
    "static": [*preset("static", "rmq"), ["python3", "tests/static/static_test.py", "build/static/rmq"]],
    # By clang, so that its warnings, dropped results of co_await and lock annotations are checked as well.
    "asan": [*preset("asan"), ctest("asan", "-E", "^tidy")],
    "tsan": [
        *preset("tsan", *(f"rmq_{module}_test" for module in THREADED)),
        ctest("tsan", "-R", f"^unit[.]({'|'.join(THREADED)})$|^crash"),
    ],
    "cost": [["tests/cost/cost.py"]],
    "planted": [["tests/planted/run.py"]],
    "interop": [["tests/interop/run_all.py"]],
    "cluster": [["tests/scripts/local_test.sh"], ["tests/cluster/run.sh"]],
}


class Counter:
    """Reads the closing lines of ctest, Maven and our own runners."""

    def __init__(self) -> None:
        self.passed = 0
        self.failed = 0

    def read(self, line: str) -> None:
        if match := re.search(r"tests passed, (\d+) tests? failed out of (\d+)", line):
            failed, total = map(int, match.groups())
        elif match := re.search(r"Tests run: (\d+), Failures: (\d+), Errors: (\d+), Skipped: (\d+)\s*$", line):
            total, failures, errors, skipped = map(int, match.groups())
            failed, total = failures + errors, total - skipped
        elif match := re.match(r"(?:\w+: )?(\d+) passed, (\d+) failed\s*$", line):
            failed = int(match.group(2))
            total = int(match.group(1)) + failed
        else:
            return
        self.passed += total - failed
        self.failed += failed


def run(command: list[str], counter: Counter, failures: collections.deque[str]) -> int:
    print("+", " ".join(command), flush=True)
    process = subprocess.Popen(command, cwd=ROOT, text=True, errors="replace", stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    for line in process.stdout:
        print(line, end="", flush=True)
        counter.read(line)
        if FAILURE.match(line):
            failures.append(line)
    return process.wait()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=", ".join(SECTIONS))
    chosen = parser.parse_args().sections or list(SECTIONS)
    unknown = [name for name in chosen if name not in SECTIONS]
    if unknown:
        parser.error(f"no such section: {', '.join(unknown)}")

    counter = Counter()
    code = 0
    started = time.monotonic()
    for name in chosen:
        print(f"\n===== {name} =====", flush=True)
        failures: collections.deque[str] = collections.deque(maxlen=REPEATED_LINES)
        section_started = time.monotonic()
        for command in SECTIONS[name]:
            code = run(command, counter, failures)
            if code:
                break
        print(f"===== {name}: {'FAILED' if code else 'ok'}, {time.monotonic() - section_started:.0f} s =====", flush=True)
        if code:
            print("what failed:\n" + "".join(failures), end="")
            break
    print(f"\n{time.monotonic() - started:.0f} s in all")
    print(f"{counter.passed} passed, {max(counter.failed, 1 if code else 0)} failed")
    return 1 if code or counter.failed else 0


if __name__ == "__main__":
    sys.exit(main())
