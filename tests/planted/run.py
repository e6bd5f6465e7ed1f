#!/usr/bin/env python3
"""Tests the tests: each patch beside this file plants a bug, and the check it names must fail then.

    run.py            all
    run.py NAME...    these: the patches' names without .patch

A patch begins with lines of the form "Check: COMMAND", run by the shell in the patched copy of the tree, and
"Target: CMAKE TARGET", built before; what else stands before the diff says what is planted. The copy lies in
build/planted/, is built like a release, and stays for the next run."""

import argparse
import os
import pathlib
import re
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
COPY = ROOT / "build/planted/tree"
JOBS = os.environ.get("JOBS") or str(os.cpu_count())
CHECK_SECONDS = 900
LINES_SHOWN = 20


def run(*command, **options):
    return subprocess.run(command, cwd=options.pop("cwd", COPY), text=True, errors="replace",
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)


def must(*command, **options):
    done = run(*command, **options)
    if done.returncode != 0:
        raise SystemExit("FAIL %s\n%s" % (" ".join(command), done.stdout[-4000:]))


def refresh_copy():
    """What git knows here, changed or not; unchanged files keep their times, so that little is built again."""
    COPY.mkdir(parents=True, exist_ok=True)
    listed = run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=ROOT).stdout
    names = [name for name in listed.split("\0") if name and (ROOT / name).is_file()]
    for old in COPY.rglob("*"):
        inside = old.relative_to(COPY)
        if old.is_file() and inside.parts[0] != "build" and str(inside) not in set(names):
            old.unlink()
    for name in names:
        source, target = ROOT / name, COPY / name
        content = source.read_bytes()
        if target.is_file() and target.read_bytes() == content:
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        target.chmod(source.stat().st_mode)


def headers_of(patch):
    text = patch.read_text().split("\n--- ")[0]
    return re.findall(r"^Target: (.*)$", text, re.M), re.findall(r"^Check: (.*)$", text, re.M)


def build(targets):
    must("cmake", "--build", "--preset", "release", "-j", JOBS, "--target", *targets)


def try_patch(patch):
    """True when the check found the bug."""
    targets, checks = headers_of(patch)
    if not targets or len(checks) != 1:
        raise SystemExit("FAIL %s says not what to build and to check" % patch.name)
    must("patch", "-p1", "--forward", "--input", str(patch))
    try:
        build(targets)
        started = time.monotonic()
        done = run("sh", "-c", checks[0], timeout=CHECK_SECONDS,
                   env={**os.environ, "RMQ_BIN": str(COPY / "build/release/rmq")})
        found = done.returncode != 0
        print("%s %s: %s after %.0f s" % ("ok  " if found else "FAIL", patch.stem,
                                          "found" if found else "not found", time.monotonic() - started))
        lines = done.stdout.strip().splitlines()
        for line in (lines[-LINES_SHOWN:] if not found else [l for l in lines if "FAIL" in l or "ERROR" in l][:3]):
            print("     " + line)
        return found
    finally:
        must("patch", "-p1", "--reverse", "--input", str(patch))


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*")
    names = parser.parse_args().names
    patches = [patch for patch in sorted(HERE.glob("*.patch")) if not names or patch.stem in names]
    if not patches:
        parser.error("no such patch")
    refresh_copy()
    must("cmake", "--preset", "release")
    found = [try_patch(patch) for patch in patches]
    print("%d passed, %d failed" % (sum(found), len(found) - sum(found)))
    return 0 if all(found) else 1


if __name__ == "__main__":
    sys.exit(main())
