"""Draws the pictures of docs/concepts, light and dark in one file each.

    python docs/drawings/draw.py docs/images

Writes `gate.svg`, `paths.svg`, `figures.svg` and `controls.svg` in a second. A
picture follows the colours of the page, or of the system, that shows it.
"""

import argparse
from pathlib import Path
from xml.sax.saxutils import escape

STYLE = """<style>
text { font: 14px system-ui, sans-serif; fill: #1c2733 }
.small { font-size: 12px; fill: #4d5b69 }
.line { stroke: #4d5b69; stroke-width: 1.5; fill: none }
.box { stroke: #4d5b69; fill: #eef3f8 }
.open { fill: #0b62a8 } .shut { fill: #dbe4ec }
.other { fill: #b3541e } circle.shut { fill: #8a98a5 }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .small { fill: #a9b6c2 }
.line { stroke: #a9b6c2 } .box { stroke: #a9b6c2; fill: #1d2935 }
.open { fill: #6cb2f2 } .shut { fill: #33414e } .other { fill: #f0a36b }
}
</style>"""
CLASSES = ("cat", "dog", "frog", "hen")
FILTERS = 10


def svg(width, height, title, parts):
    """Returns a picture as text."""
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" '
            f'height="{height}" viewBox="0 0 {width} {height}" role="img">',
            f"<title>{escape(title)}</title>",
            STYLE,
            '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" '
            'markerWidth="8" markerHeight="8" orient="auto">'
            '<path d="M1 1 7 4 1 7" class="line"/></marker></defs>',
            *parts,
            "</svg>\n",
        ]
    )


def text(x, y, words, kind="", anchor="start"):
    """Returns a line of text that begins, ends or is centred at `x`."""
    return (
        f'<text x="{x:g}" y="{y:g}" class="{kind}" text-anchor="{anchor}">'
        f"{escape(words)}</text>"
    )


def arrow(x, y, to_x, to_y):
    """Returns an arrow from one place to another."""
    return (
        f'<path d="M{x:g} {y:g} {to_x:g} {to_y:g}" class="line" '
        'marker-end="url(#head)"/>'
    )


def box(x, y, width, height, *lines):
    """Returns a box with lines of text in its middle."""
    top = y + height / 2 + 5 - 9 * (len(lines) - 1)
    return "\n".join(
        [
            f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" '
            'rx="6" class="box"/>',
            *(
                text(
                    x + width / 2,
                    top + 18 * n,
                    line,
                    "small" if n else "",
                    "middle",
                )
                for n, line in enumerate(lines)
            ),
        ]
    )


def matrix(x, y, is_open, names=CLASSES, cell=18, kind="open"):
    """Returns a matrix of classes by filters; `is_open` says which entries."""
    parts = []
    for row, name in enumerate(names):
        parts.append(text(x - 8, y + row * cell + cell * 0.7, name, "", "end"))
        parts += [
            f'<rect x="{x + k * cell:g}" y="{y + row * cell:g}" '
            f'width="{cell - 2}" height="{cell - 2}" rx="3" '
            f'class="{kind if is_open(row, k) else "shut"}"/>'
            for k in range(FILTERS)
        ]
    return "\n".join(parts)


def staircase(row, k):
    """Says whether filter `k` is open to a class in a closed gate."""
    return (0, 0, 0, 1, 1, 2, 2, 2, 3, 3)[k] == row


def gate():
    """Returns the gate before training and after it."""
    return svg(
        500,
        150,
        "The gate: open everywhere, then a staircase",
        [
            text(46, 24, "at first: all open"),
            matrix(46, 38, lambda row, k: True),
            text(46, 132, "density 1", "small"),
            arrow(232, 76, 262, 76),
            text(247, 66, "trains", "small", "middle"),
            text(306, 24, "at the end: one class each"),
            matrix(306, 38, staircase),
            text(
                306,
                132,
                "density 1/4, the least",
                "small",
            ),
        ],
    )


def paths():
    """Returns the three ways from one pass to logits."""
    ends = (
        (20, "standard", "W a + b", "how the network is used"),
        (90, "gated", "W (G[y] * a) + b", "the label's row; training alone"),
        (160, "class-specific", "(W * G) a + b", "own filters; no label"),
    )
    parts = [
        box(4, 80, 56, 60, "image"),
        arrow(60, 110, 78, 110),
        box(82, 80, 84, 60, "backbone", "one pass"),
        arrow(166, 110, 184, 110),
        box(188, 80, 96, 60, "averages a", "one a filter"),
    ]
    for y, name, formula, use in ends:
        parts += [
            arrow(284, 110, 316, y + 28),
            box(320, y, 216, 56, f"{name}: {formula}", use),
        ]
    return svg(540, 230, "Three paths from one pass", parts)


# From docs/measuring.md and docs/results.md, of CIFAR-10.
SCALES = (
    ("specificity", 0.09, 0.364, 0.768, 1.0, "0: chance"),
    ("class agreement", 0.08, 0.734, 0.984, 1.0, "0.1: chance"),
    ("correlation across", 0.98, 0.51, 0.02, 0.0, ""),
)


def figures():
    """Returns figures of three networks, each between its least and most."""
    left, wide = 176, 300
    parts = []
    for n, (name, untrained, plain, ours, best, note) in enumerate(SCALES):
        y = 46 + 62 * n
        parts += [
            text(left - 16, y + 5, name, "", "end"),
            f'<path d="M{left} {y} {left + wide} {y}" class="line"/>',
            text(left, y + 30, note, "small"),
        ]
        parts += [
            f'<circle cx="{left + wide * value:g}" cy="{y}" r="7" '
            f'class="{kind}"/>'
            for value, kind in (
                (untrained, "shut"),
                (plain, "other"),
                (ours, "open"),
            )
        ]
        x = left + wide * best
        parts.append(f'<path d="M{x:g} {y - 12} {x:g} {y + 12}" class="line"/>')
    legend = (("shut", "untrained"), ("other", "standard"), ("open", "gated"))
    for n, (kind, name) in enumerate(legend):
        x = left + 98 * n
        parts += [
            f'<circle cx="{x + 7}" cy="226" r="6" class="{kind}"/>',
            text(x + 20, 231, name, "small"),
        ]
    parts.append(text(left + 290, 231, "| best", "small"))
    return svg(530, 246, "Figures of three networks", parts)


def controls():
    """Returns the control of shuffled rows."""
    return svg(
        500,
        172,
        "The control: rows of the gate shuffled among the classes",
        [
            text(46, 24, "the gate as trained"),
            matrix(46, 38, staircase),
            text(46, 132, "class-specific: 0.876", "small"),
            arrow(232, 76, 262, 76),
            text(247, 66, "shuffle", "small", "middle"),
            text(306, 24, "rows exchanged"),
            matrix(
                306,
                38,
                lambda row, k: staircase((row + 1) % 4, k),
                kind="other",
            ),
            text(306, 132, "0.088; guessing is 0.1", "small"),
            text(
                46,
                158,
                "With a label leak the first figure would stay.",
                "small",
            ),
        ],
    )


DRAWINGS = {
    "gate.svg": gate,
    "paths.svg": paths,
    "figures.svg": figures,
    "controls.svg": controls,
}


def main(args=None):
    """Writes all of them into a folder."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    out = parser.parse_args(args).out
    for name, drawing in DRAWINGS.items():
        (out / name).write_text(drawing(), "utf-8", newline="\n")


if __name__ == "__main__":
    main()
