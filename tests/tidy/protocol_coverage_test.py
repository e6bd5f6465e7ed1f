"""Tests of scripts/protocol_coverage.py: what is missing is found in a small tree."""

import contextlib
import io
import pathlib
import sys
import tempfile
import unittest
from unittest import mock

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
import protocol_coverage  # noqa: E402

TREE = {
    "src/protocol/request_codes.def": "RMQ_REQUEST(10, Send, SEND)\nRMQ_REQUEST(40, Notify, NOTIFY)\nRMQ_REQUEST(100, Put, PUT)\n",
    "src/roles/broker/requests.cpp": "serve<&on_send>(RequestCode::Send,\n               Lane::Append),\n",
    "src/roles/broker/broker.cpp": "make_request(RequestCode::Notify)",
    "src/roles/namesrv/requests.cpp": "serve<&on_put>(RequestCode::Put, Lane::Control),\n",
    "src/roles/controller/requests.cpp": "",
    "tests/unit/roles/broker_a_test.cpp": "RequestCode::Send",
    "tests/unit/roles/namesrv_a_test.cpp": "RequestCode::Put",
    "tests/support/broker_node.h": "RequestCode::Notify",
    "docs/note.md": "",
}


class ProtocolCoverageTest(unittest.TestCase):
    def run_on(self, changes: dict[str, str], check: bool = True) -> str:
        """What is complained about, the page having been written before the changes."""
        patches = {"TIER_1": {"Send": "broker", "Notify": "client"}, "SENT": {"Notify": ("client", "src/roles/broker/broker.cpp")}}
        with tempfile.TemporaryDirectory() as directory, mock.patch.multiple(protocol_coverage, **patches):
            root = pathlib.Path(directory)
            for name, text in TREE.items():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(text)
            self.assertEqual(0, protocol_coverage.main([], root))
            self.page = (root / protocol_coverage.PAGE).read_text()
            for name, text in changes.items():
                (root / name).write_text(text)
            complaints = io.StringIO()
            with contextlib.redirect_stderr(complaints):
                status = protocol_coverage.main(["--check"], root)
            self.assertEqual(status != 0, bool(complaints.getvalue()))
            return complaints.getvalue()

    def test_current(self):
        self.assertEqual("", self.run_on({}))
        self.assertIn("| 10 | SEND | broker | `on_send` | Append | unit/roles/broker_a_test.cpp |", self.page)
        self.assertIn("| 40 | NOTIFY | broker to client | `broker.cpp` |  | support/broker_node.h |", self.page)
        self.assertLess(self.page.index("SEND"), self.page.index("## More"))
        self.assertGreater(self.page.index("PUT"), self.page.index("## More"))

    def test_a_page_that_is_old(self):
        moved = TREE["src/roles/broker/requests.cpp"].replace("Append", "Disk")
        self.assertIn("is old", self.run_on({"src/roles/broker/requests.cpp": moved}))

    def test_a_row_without_a_test(self):
        # Neither a longer name nor a test of another role counts.
        found = self.run_on(
            {
                "tests/unit/roles/broker_a_test.cpp": "RequestCode::SendMore",
                "tests/unit/roles/namesrv_a_test.cpp": "RequestCode::Put RequestCode::Send",
            }
        )
        self.assertIn("10 SEND (broker): no test names the code", found)

    def test_a_code_of_tier_1_that_is_not_served(self):
        self.assertIn("Send is in tier 1, not served", self.run_on({"src/roles/broker/requests.cpp": ""}))

    def test_what_is_sent_no_more(self):
        self.assertIn("does not send Notify", self.run_on({"src/roles/broker/broker.cpp": ""}))

    def test_a_row_of_no_code(self):
        row = "serve<&on_other>(RequestCode::Other, Lane::Control),\n"
        self.assertIn("Other is no request code", self.run_on({"src/roles/namesrv/requests.cpp": row}))


if __name__ == "__main__":
    unittest.main()
