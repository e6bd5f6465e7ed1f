#!/usr/bin/env python3
"""Which request codes are served, by what, and which test asks for each: docs/protocol-coverage.md.

The rows come from src/protocol/request_codes.def, the request tables of the roles (src/roles/*/requests.cpp) and the tests
of the roles that name the code (tests/unit/roles/<role>_*.cpp, tests/support/<role>_*.h). Without an option the page is written anew; --check compares it with what it
would be, and fails on a row that no test asks for.
"""

import argparse
import pathlib
import re
import sys
from dataclasses import dataclass

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = "docs/protocol-coverage.md"
ROLES = {"namesrv": "name server", "broker": "broker", "controller": "controller"}

# Tier 1: what ordinary producers, consumers and a registering broker need. Name: who serves it; "client" is what the broker
# sends to its clients.
TIER_1 = {
    "SendMessage": "broker",
    "PullMessage": "broker",
    "QueryConsumerOffset": "broker",
    "UpdateConsumerOffset": "broker",
    "UpdateAndCreateTopic": "broker",
    "SearchOffsetByTimestamp": "broker",
    "GetMaxOffset": "broker",
    "GetMinOffset": "broker",
    "GetEarliestMsgStoretime": "broker",
    "HeartBeat": "broker",
    "UnregisterClient": "broker",
    "ConsumerSendMsgBack": "broker",
    "GetConsumerListByGroup": "broker",
    "NotifyConsumerIdsChanged": "client",
    "LockBatchMq": "broker",
    "UnlockBatchMq": "broker",
    "CheckClientConfig": "broker",
    "RegisterBroker": "namesrv",
    "UnregisterBroker": "namesrv",
    "GetRouteinfoByTopic": "namesrv",
    "SendMessageV2": "broker",
    "SendBatchMessage": "broker",
    "QueryDataVersion": "namesrv",
    "LitePullMessage": "broker",
}
# Rows of tier 1 that are not served, with the reason.
NOT_SERVED = {}
# What the servers send themselves: the code must appear in this file.
SENT = {
    "NotifyConsumerIdsChanged": ("client", "src/roles/broker/broker.cpp"),
    "NotifyMinBrokerIdChange": ("broker", "src/roles/namesrv/name_server.cpp"),
    "NotifyBrokerRoleChanged": ("broker", "src/roles/controller/controller.cpp"),
}


@dataclass(frozen=True)
class Row:
    code: int
    java: str
    who: str  # name server, broker; "... to client"
    handler: str
    lane: str
    test: str  # empty: none


class Coverage:
    def __init__(self, root: pathlib.Path):
        self.root = root
        self.codes = {
            name: (int(code), java)
            for code, name, java in re.findall(
                r"^RMQ_REQUEST\((\d+), (\w+), (\w+)\)", self.read("src/protocol/request_codes.def"), re.M
            )
        }
        paths = [*sorted((root / "tests/unit/roles").glob("*.cpp")), *sorted((root / "tests/support").glob("*.h"))]
        self.tests = {path.relative_to(root / "tests").as_posix(): path.read_text() for path in paths}
        self.errors: list[str] = []

    def read(self, name: str) -> str:
        return (self.root / name).read_text()

    def test_of(self, name: str, role: str) -> str:
        """The first test of the role that names the code, or what its tests share. Tests of others ask a fake server."""
        for path, text in self.tests.items():
            if path.rpartition("/")[2].startswith(role + "_") and re.search(rf"\bRequestCode::{name}\b", text):
                return path
        return ""

    def row(self, name: str, role: str, who: str, handler: str, lane: str) -> Row:
        if name not in self.codes:
            self.errors.append(f"{name} is no request code")
            return Row(-1, name, who, handler, lane, "")
        code, java = self.codes[name]
        return Row(code, java, who, handler, lane, self.test_of(name, role))

    def rows(self) -> dict[tuple[str, str], Row]:
        """By name and who serves it."""
        rows = {}
        for role, spoken in ROLES.items():
            table = re.findall(
                r"serve<&(\w+)>\(\s*RequestCode::(\w+),\s*Lane::(\w+)\)", self.read(f"src/roles/{role}/requests.cpp")
            )
            for handler, name, lane in table:
                rows[name, role] = self.row(name, role, spoken, f"`{handler}`", lane)
        for name, (to, source) in SENT.items():
            if f"RequestCode::{name}" not in self.read(source):
                self.errors.append(f"{source} does not send {name}")
            role = source.split("/")[2]
            rows[name, to] = self.row(name, role, f"{ROLES[role]} to {to}", f"`{pathlib.PurePosixPath(source).name}`", "")
        return rows

    def page(self) -> str:
        rows = self.rows()
        tier_1, missing = [], []
        for name, role in TIER_1.items():
            served = rows.pop((name, role), None)
            if served:
                tier_1.append(served)
                if name in NOT_SERVED:
                    self.errors.append(f"{name} is served: take it out of NOT_SERVED")
            elif name in NOT_SERVED:
                missing.append((*self.codes[name], ROLES[role], NOT_SERVED[name]))
            else:
                self.errors.append(f"{name} is in tier 1, not served, and NOT_SERVED has no reason")
        for row in [*tier_1, *rows.values()]:
            if not row.test:
                self.errors.append(f"{row.code} {row.java} ({row.who}): no test names the code")

        lines = [
            "# Requests that rmq serves",
            "",
            "Written by `make coverage` (scripts/protocol_coverage.py) from the request tables; a test of the build says when it is",
            "old, and when a row has no test. A test that is named here asks for the code through a port; many have more. The",
            "lane is where a request runs: see `served_request.h`. What is not listed is answered with",
            "REQUEST_CODE_NOT_SUPPORTED (3).",
            "",
            "## Tier 1: what producers, consumers and brokers need every day",
            "",
            *self.table(tier_1),
        ]
        if missing:
            lines += ["", "Not served:", "", "| code | name | by | why |", "| --- | --- | --- | --- |"]
            lines += [f"| {code} | {java} | {who} | {why} |" for code, java, who, why in sorted(missing)]
        lines += ["", "## More", "", *self.table(rows.values())]
        return "\n".join(lines) + "\n"

    @staticmethod
    def table(rows) -> list[str]:
        lines = ["| code | name | by | handler | lane | test |", "| --- | --- | --- | --- | --- | --- |"]
        for row in sorted(rows, key=lambda row: (row.code, row.who)):
            lines.append(f"| {row.code} | {row.java} | {row.who} | {row.handler} | {row.lane} | {row.test} |")
        return lines


def main(arguments: list[str], root: pathlib.Path = ROOT) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="do not write; fail if the page is old or a row has no test")
    options = parser.parse_args(arguments)
    coverage = Coverage(root)
    page = coverage.page()
    path = root / PAGE
    if not options.check:
        path.write_text(page)
    elif not path.exists() or path.read_text() != page:
        coverage.errors.append(f"{PAGE} is old: run `make coverage`")
    for error in coverage.errors:
        print(error, file=sys.stderr)
    return 1 if coverage.errors else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
