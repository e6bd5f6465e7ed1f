#!/usr/bin/env python3
"""Runs the suites of all clients side by side, each against a server of its own, and says which test passed.

    tests/interop/run_all.py                    all suites, against rmq (RMQ_BIN=FILE for another executable)
    tests/interop/run_all.py go python          these suites only
    tests/interop/run_all.py --server java go   against RocketMQ's own server, to check the tests themselves

The first run fetches the clients by the package managers; later ones work without a network. Logs and data of a suite
that failed stay in the directory that is named. The last line is "N passed, N failed".
"""

import argparse
import concurrent.futures
import dataclasses
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree

import servers

HERE = pathlib.Path(__file__).resolve().parent
TABLE = HERE / "../../docs/clients.md"
SUITE_SECONDS = 400


@dataclasses.dataclass
class Suite:
    """A client: how it is fetched, how its tests run, and how their output names those that passed and failed."""
    directory: pathlib.Path
    prepare: list[list[str]]
    command: list[str]
    passed: str = ""  # regular expressions of one group, the test's name
    failed: str = ""
    reports: str = ""  # or where Surefire writes
    own_server: bool = False  # starts its servers itself
    alone: bool = False  # takes the machine for itself: others' clients would run into time-outs
    own_home: bool = False  # the client writes logs and offsets into the home directory


def maven(version: str) -> Suite:
    directory = HERE / "java"
    mvn = ["mvn", "-B", "-ntp", f"-Drocketmq.version={version}"]
    # Without the network first; what is missing ends Maven before any test.
    prepare = ["sh", "-c", 'mvn -q -o "$@" >/dev/null 2>&1 || exec mvn -q "$@"', "sh", *mvn[1:], "test", "-DskipTests"]
    return Suite(directory, [prepare], [*mvn, "-o", "surefire:test"], reports=f"target/{version}/surefire-reports")


SUITES = {
    # All of the Java client 5.3.3 against rmq, then what needs Java's server beside it.
    "java": Suite(HERE, [["./run.sh", "-DskipTests"]], ["mvn", "-B", "-ntp", "-o", "surefire:test", "-Dtest=!*HandOverTest,!FailoverTest"],
                  reports="target/surefire-reports", own_server=True),
    # Its clients have half a second for a request.
    "failover": Suite(HERE, [["./run.sh", "-DskipTests"]],
                      ["mvn", "-B", "-ntp", "-o", "surefire:test", "-Dtest=FailoverTest", f"-Dinterop.reports={HERE}/target/failover-reports"],
                      reports="target/failover-reports", own_server=True, alone=True),
    "mixed": Suite(HERE, [["env", "RMQ_INTEROP_SERVER=java", "./run.sh", "-DskipTests"]],
                   ["env", "RMQ_INTEROP_SERVER=java", "mvn", "-B", "-ntp", "-o", "surefire:test", "-Dtest=*HandOverTest",
                    f"-Dinterop.reports={HERE}/target/mixed-reports"], reports="target/mixed-reports", own_server=True),
    # One store that Java's brokers and rmq serve in turn.
    "stores": Suite(HERE, [["./stores_test.py", "--fetch"]], ["./stores_test.py"], r"ok ([\w-]+)", r"FAILED ([\w-]+)",
                    own_server=True, alone=True),
    # Masters and slaves of different make.
    "replication": Suite(HERE, [["./stores_test.py", "--fetch"]], ["./replication_test.py"], r"ok ([\w-]+)", r"FAILED ([\w-]+)",
                         own_server=True, alone=True),
    # RocketMQ's brokers and tools under this controller.
    "controller": Suite(HERE, [["./stores_test.py", "--fetch"]], ["./controller_test.py"], r"ok ([\w-]+)", r"FAILED ([\w-]+)",
                        own_server=True, alone=True),
    "java5": maven("5.3.3"),
    "java4": maven("4.9.8"),
    "go": Suite(HERE / "go", [["go", "vet", "./..."]],
                ["go", "test", "-count=1", "-v", "-parallel", "16", "-timeout", "300s", "./..."],
                r"--- PASS: (\w+)", r"--- FAIL: (\w+)"),
    "node": Suite(HERE / "node", [["sh", "-c", "cmp -s package-lock.json node_modules/.lock || "
                                   "{ npm ci --no-audit --no-fund && cp package-lock.json node_modules/.lock; }"]],
                  ["node", "--test-reporter=tap", "interop.test.js"], r"ok \d+ - (.+)", r"not ok \d+ - (.+)"),
    "python": Suite(HERE / "python", [["sh", "-c", "test -x .venv/bin/python && cmp -s requirements.txt .venv/.lock || "
                                       "{ python3 -m venv --clear .venv && .venv/bin/pip install -q -r requirements.txt && "
                                       "cp requirements.txt .venv/.lock; }"]],
                    [".venv/bin/python", "interop_test.py"], r"PASS (\w+)", r"FAIL (\w+)", own_home=True),
}


@dataclasses.dataclass
class Outcome:
    name: str
    passed: list[str] = dataclasses.field(default_factory=list)
    failed: list[str] = dataclasses.field(default_factory=list)
    measured: list[str] = dataclasses.field(default_factory=list)  # what tests say about times
    reasons: dict[str, str] = dataclasses.field(default_factory=dict)  # of a test that failed, in a line
    seconds: float = 0
    trouble: str = ""  # what went wrong apart from tests


def run(name: str, kind: str, work: pathlib.Path) -> Outcome:
    suite = SUITES[name]
    outcome = Outcome(name)
    started = time.monotonic()
    directory = work / name
    directory.mkdir()
    log = directory / "output.log"
    environment = os.environ | {"RMQ_BIN": str(servers.BINARY), "RMQ_INTEROP_SERVER": kind,
                                "rocketmq.client.localOffsetStoreDir": str(directory / "offsets")}  # the Go client's
    if suite.own_home:
        environment["HOME"] = str(directory)
    server = None
    try:
        if not suite.own_server:
            server = getattr(servers, kind)(directory / "server")
            environment |= {"RMQ_INTEROP_NAMESRV": server.namesrv, "RMQ_INTEROP_BROKER": server.broker}
        if suite.reports:
            shutil.rmtree(suite.directory / suite.reports, ignore_errors=True)
        with open(log, "wb") as output:
            code = subprocess.run(suite.command, cwd=suite.directory, env=environment, stdin=subprocess.DEVNULL, stdout=output,
                                  stderr=subprocess.STDOUT, timeout=SUITE_SECONDS, check=False).returncode
        if suite.reports:
            read_surefire(suite, outcome)
            outcome.measured = measured(suite)
        else:
            scan(suite, log, outcome)
        if server and not server.alive():
            outcome.trouble = "the server ended before the tests"
        elif code and not outcome.failed:
            outcome.trouble = f"exit code {code}"
        elif not outcome.passed and not outcome.failed:
            outcome.trouble = "no test ran"
    except (OSError, RuntimeError, subprocess.SubprocessError) as error:
        outcome.trouble = str(error)
    finally:
        if server:
            server.stop()
    outcome.seconds = time.monotonic() - started
    return outcome


def read_surefire(suite: Suite, outcome: Outcome) -> None:
    for report in sorted((suite.directory / suite.reports).glob("TEST-*.xml")):
        for case in ElementTree.parse(report).iter("testcase"):
            name = f"{case.get('classname').rsplit('.', 1)[-1]}.{case.get('name')}"
            bad = next((found for tag in ("failure", "error", "skipped") if (found := case.find(tag)) is not None), None)
            (outcome.passed if bad is None else outcome.failed).append(name)
            if bad is not None:
                ours = re.search(r"\(\w+Test\.java:\d+\)", bad.text or "")
                outcome.reasons[name] = " ".join(f"{bad.get('type')}: {bad.get('message')} {ours.group() if ours else ''}".split())[:400]


def measured(suite: Suite) -> list[str]:
    """What Measured.java printed."""
    return [line for output in sorted((suite.directory / suite.reports).glob("*-output.txt"))
            for line in output.read_text(errors="replace").splitlines() if line.startswith("measured: ")]


def scan(suite: Suite, log: pathlib.Path, outcome: Outcome) -> None:
    lines = log.read_text(errors="replace").splitlines()
    find = lambda pattern: [match.group(1) for line in lines if (match := re.match(pattern, line.strip()))]
    outcome.passed, outcome.failed = find(suite.passed), find(suite.failed)


def check_table(outcomes: list[Outcome]) -> Outcome:
    """docs/clients.md: a cell is a test that passed, or says why there is none; of the suites that ran."""
    check = Outcome("docs/clients.md")
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")]
            for line in TABLE.read_text().splitlines() if line.startswith("|")]
    columns = [re.match(r".*\((\w+)\)$", cell) for cell in rows[0][1:]]
    passed = {outcome.name: set(outcome.passed) for outcome in outcomes}
    for row in rows[2:]:
        if len(row) != len(rows[0]):
            continue  # another table
        for column, cell in zip(columns, row[1:]):
            test = re.match(r"`(.+)`$", cell)
            if test and column and column.group(1) in passed:
                ok = test.group(1) in passed[column.group(1)]
                (check.passed if ok else check.failed).append(f"{row[0]}: {column.group(1)} `{test.group(1)}`")
    if not check.passed and set(passed) == set(SUITES):
        check.trouble = "no cell names a test"
    return check


def report(outcome: Outcome, work: pathlib.Path) -> None:
    for test in outcome.passed:
        print(f"ok      {outcome.name:7} {test}")
    for test in outcome.failed:
        print(f"FAILED  {outcome.name:7} {test} {outcome.reasons.get(test, '')}".rstrip())
    for line in outcome.measured:
        print(f"        {outcome.name:7} {line}")
    if outcome.trouble:
        print(f"FAILED  {outcome.name:7} {outcome.trouble}")
    log = work / outcome.name / "output.log"
    if (outcome.failed or outcome.trouble) and log.exists():
        print(f"--- the last lines of {log}")
        print("\n".join(log.read_text(errors="replace").splitlines()[-60:]))
    print(f"{outcome.name}: {len(outcome.passed)} of {len(outcome.passed) + len(outcome.failed)} in {outcome.seconds:.0f} s",
          flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--server", choices=["rmq", "java"], default="rmq")
    parser.add_argument("suites", nargs="*", metavar="SUITE", help=", ".join(SUITES))
    arguments = parser.parse_args()
    chosen = arguments.suites or list(SUITES)
    if unknown := set(chosen) - set(SUITES):
        parser.error(f"no such suite: {', '.join(unknown)}")

    # One after the other: two downloads are no faster than one.
    for name in chosen:
        for command in SUITES[name].prepare:
            subprocess.run(command, cwd=SUITES[name].directory, stdin=subprocess.DEVNULL, check=True)
    if arguments.server == "java":
        servers.java_classpath()

    work = pathlib.Path(tempfile.mkdtemp(prefix="rmq-interop-"))
    outcomes = []
    for wave in ([name for name in chosen if not SUITES[name].alone], *([name] for name in chosen if SUITES[name].alone)):
        # Five of Java's brokers that start at the same time refuse sends for being busy.
        with concurrent.futures.ThreadPoolExecutor(1 if arguments.server == "java" else max(1, len(wave))) as executor:
            futures = [executor.submit(run, name, arguments.server, work) for name in wave]
            for future in concurrent.futures.as_completed(futures):
                outcomes.append(future.result())
                report(outcomes[-1], work)
    bad = sum(len(outcome.failed) + bool(outcome.trouble) for outcome in outcomes)
    good = sum(len(outcome.passed) for outcome in outcomes)
    if arguments.server == "rmq":
        table = check_table(outcomes)
        for cell in table.failed or ([table.trouble] if table.trouble else []):
            print(f"FAILED  docs/clients.md names what did not pass: {cell}")
        bad, good = (bad + 1, good) if table.failed or table.trouble else (bad, good + 1)
    if bad:
        print(f"logs and data: {work}")
    else:
        shutil.rmtree(work)
    print(f"{good} passed, {bad} failed")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
