"""Draws side_by_side.json: one panel for each figure, a bar for each server, medians with the spread of the rounds."""

import json
import pathlib
import statistics
import sys
from xml.sax.saxutils import escape

# (title, case, figure, factor, unit)
PANELS = [
    ("Sends, 128 bytes", "send_128", "messages_per_second", 1e-3, "thousand a second"),
    ("Sends, 1 KiB", "send_1024", "messages_per_second", 1e-3, "thousand a second"),
    ("Sends, one in flight", "send_one", "messages_per_second", 1e-3, "thousand a second"),
    ("Sends, one each of 256 connections", "send_from_256", "messages_per_second", 1e-3, "thousand a second"),
    ("Sends, batches of 32", "send_batch_32", "messages_per_second", 1e-3, "thousand a second"),
    ("Pulls", "pull", "messages_per_second", 1e-3, "thousand messages a second"),
    ("CPU of a send, 128 bytes", "send_128", "cpu_us_per_message", 1, "microseconds"),
    ("CPU of a send, 1 KiB", "send_1024", "cpu_us_per_message", 1, "microseconds"),
    ("p99 at 10,000 a second", "open_10000", "p99", 1e-3, "milliseconds"),
    ("p99 at 30,000 a second", "open_30000", "p99", 1e-3, "milliseconds"),
    ("p99, one each of 256 connections", "send_from_256", "p99", 1e-3, "milliseconds"),
    ("p99 end to end", "end_to_end", "p99", 1e-3, "milliseconds"),
]
NAMES = {"java": ("RocketMQ 5.3.3", "#b0b4ba"), "rmq": ("rmq", "#2f6fb0")}
COLUMNS, WIDTH, HEIGHT, BAR_LEFT, BAR_WIDTH = 2, 430, 104, 118, 220


def number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def bar(name: str, values: list[float], most: float, top: float) -> list[str]:
    title, colour = NAMES[name]
    middle = statistics.median(values)
    width, low, high = (BAR_WIDTH * value / most for value in (middle, min(values), max(values)))
    return [
        f'<text x="{BAR_LEFT - 8}" y="{top + 13}" text-anchor="end">{title}</text>',
        f'<rect x="{BAR_LEFT}" y="{top}" width="{width:.1f}" height="18" fill="{colour}"/>',
        f'<path d="M{BAR_LEFT + low:.1f} {top + 9}H{BAR_LEFT + high:.1f}" stroke="#333"/>',
        f'<text x="{BAR_LEFT + high + 6:.1f}" y="{top + 13}">{number(middle)}</text>',
    ]


def panel(rounds: dict, index: int) -> list[str]:
    title, case, figure, factor, unit = PANELS[index]
    values = {name: [one[case][figure] * factor for one in rounds[name]] for name in NAMES}
    most = max(max(found) for found in values.values())
    lines = [f'<g transform="translate({index % COLUMNS * WIDTH},{index // COLUMNS * HEIGHT + 16})">',
             f'<text x="12" y="12" font-weight="bold">{escape(title)}</text>',
             f'<text x="{WIDTH - 40}" y="12" text-anchor="end" fill="#666">{escape(unit)}</text>']
    for row, name in enumerate(NAMES):
        lines += bar(name, values[name], most, 24 + row * 26)
    return [*lines, "</g>"]


def svg(rounds: dict) -> str:
    shown = [i for i, (_, case, _, _, _) in enumerate(PANELS) if all(case in rounds[name][0] for name in NAMES)]
    height = (max(shown) // COLUMNS + 1) * HEIGHT + 16
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{COLUMNS * WIDTH}" height="{height}" '
             f'font-family="sans-serif" font-size="12">', '<rect width="100%" height="100%" fill="white"/>']
    for index in shown:
        lines += panel(rounds, index)
    return "\n".join([*lines, "</svg>"]) + "\n"


def main() -> None:
    source = pathlib.Path(sys.argv[1])
    source.with_suffix(".svg").write_text(svg(json.loads(source.read_text())))


if __name__ == "__main__":
    main()
