#!/usr/bin/env python3
"""Compiles every source of a configured build tree with its own compiler, without making anything.

For the clang preset: clang 14 reports a dropped `co_await`ed result and checks lock annotations, which GCC does not.

    cmake --preset clang && scripts/clang_check.py build/clang
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import shlex
import subprocess
import sys


def syntax_only(command: str) -> list[str]:
    """The compile command without its outputs and without ccache, which cannot help here."""
    words = shlex.split(command)
    if os.path.basename(words[0]) == "ccache":
        words = words[1:]
    kept = []
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word in ("-o", "-MF", "-MT"):
            skip = True
        elif word not in ("-c", "-MD"):
            kept.append(word)
    return [*kept, "-fsyntax-only"]


def check(entry: dict) -> tuple[str, str]:
    result = subprocess.run(
        syntax_only(entry["command"]), cwd=entry["directory"], text=True, capture_output=True
    )
    return entry["file"], result.stdout + result.stderr if result.returncode else ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()

    entries = json.loads((options.build / "compile_commands.json").read_text())
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for file, errors in pool.map(check, entries):
            if errors:
                failed += 1
                print(f"{file}:\n{errors}", flush=True)
    print(f"clang: {len(entries) - failed} passed, {failed} failed")
    return 1 if failed or not entries else 0


if __name__ == "__main__":
    sys.exit(main())
