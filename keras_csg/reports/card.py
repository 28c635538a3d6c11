"""A model card: what a network is for, and where it must not be trusted."""

import dataclasses
import hashlib
import json
import pathlib
import re
from typing import Any

from markupsafe import Markup

from keras_csg.reports.gathering import Gathered
from keras_csg.reports.recipe import command_of, here, training_facts
from keras_csg.reports.rendering import markdown_environment
from keras_csg.reports.sentences import SENTENCES, percent, shown

WEAK = 0.1
"""By how much a class's recall is below the mean for it to be weak."""
FEW = 30
"""Images below which a class's figures say little."""
MOST_NAMED = 8
MARK = re.compile(r"<!-- keras-csg report ([0-9a-f]{16}) -->\s*\Z")
HUB_METRICS = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced_accuracy",
    "macro_f1": "f1",
    "mean_average_precision": "mean_average_precision",
    "ece": "expected_calibration_error",
    "class_specific_accuracy": "class_specific_accuracy",
}
"""Figures that a hub is told, and the kinds it knows them by."""
UNKNOWN_LICENSE = (
    "Not stated. Whoever publishes the model has to say: "
    "keras-csg report --license."
)


@dataclasses.dataclass(frozen=True)
class Card:
    """What a model card says beside figures.

    Attributes:
        description: str. What the model is.
        data: str. What it was trained on.
        license: str, an identifier of a licence; `None` if nobody said.
        use: str. What it is for.
        limits: list of str. What it is not good for, and what is not known.
    """

    description: str
    data: str
    license: str | None
    use: str
    limits: list[str]

    @property
    def license_words(self) -> str:
        """The licence, or that there is none yet."""
        return self.license or UNKNOWN_LICENSE


def make_card(gathered: Gathered, license: str | None = None) -> Card:
    """Says what a network is for and what it is not good for.

    Args:
        gathered: `Gathered`.
        license: str. Identifier of the licence of the weights; `None` for
            that of weights that come with the package, or unknown.
    """
    about, shipped = gathered.about, gathered.about.card
    kind = "with a class-specific gate" if about.gated else "without a gate"
    description = f"An image classifier, {about.options.backbone} {kind}, "
    description += f"for {len(about.class_names):,} classes."
    return Card(
        description=shipped.description if shipped else description,
        data=shipped.data if shipped else _data(about),
        license=license or (shipped.licence if shipped else None),
        use=_use(about),
        limits=[*(shipped.limits if shipped else ()), *_limits(gathered)],
    )


def _data(about):
    images = about.images
    return (
        f"{here(about.options.data)}: {images['train']:,} images to train on, "
        f"{images['validation']:,} held out to watch the training and "
        f"{images['test']:,} to test."
    )


def _use(about):
    height, width, _ = about.image_shape
    several = "which of these classes are in an image"
    one = "which one of these classes an image is of"
    return (
        f"To tell {several if about.multi_label else one}: "
        f"{_named(about.class_names)}. Images are brought to {width} × "
        f"{height} pixels."
    )


def _limits(gathered):
    about, measured = gathered.about, gathered.measured
    limits = [
        f"Measured on {measured.figures.get('examples', 0):,} test images of "
        f"{here(about.options.data)} alone: on other images, cameras or places "
        "it may do worse.",
        "It knows these classes alone: whatever else it is shown becomes one "
        "of them."
        if not about.multi_label
        else "It knows these classes alone and says nothing of others.",
    ]
    recalls = measured.classes["class_recall"]
    known = [recall for recall in recalls if recall is not None]
    floor = sum(known) / max(1, len(known)) - WEAK
    weak = [c for c, r in enumerate(recalls) if r is not None and r < floor]
    weak.sort(key=lambda c: recalls[c])
    if weak:
        words = [
            f"{about.class_names[c]} ({percent(recalls[c])})" for c in weak
        ]
        limits.append(
            "Classes that it finds clearly less often than the others: "
            f"{_named(words)}."
        )
    else:
        limits.append(
            "No class is found clearly less often than the others: none is "
            f"more than {WEAK:.0%} below the mean."
        )
    support = measured.classes["class_support"]
    few = [about.class_names[c] for c, n in enumerate(support) if n < FEW]
    if few:
        limits.append(
            f"Of fewer than {FEW} test images, so that their figures say "
            f"little: {_named(few)}."
        )
    limits.append(
        "Not measured: fairness between groups of people, images that were "
        "altered to mislead it, other data, and what changes over time."
    )
    return limits


def _named(words):
    more = len(words) - MOST_NAMED
    text = ", ".join(words[:MOST_NAMED])
    return f"{text} and {more:,} more" if more > 0 else text


def card_text(gathered: Gathered, card: Card) -> str:
    """Returns the card as Markdown, with the block that model hubs read.

    Args:
        gathered: `Gathered`.
        card: `Card`.
    """
    about, figures = gathered.about, gathered.measured.figures
    rows = [
        (SENTENCES[name].label, shown(name, value), SENTENCES[name].meaning)
        for name, value in figures.items()
        if SENTENCES[name].group in ("answers", "calibration", "gate")
    ]
    columns = gathered.measured.classes
    classes = [
        (
            name,
            percent(columns["class_precision"][c]),
            percent(columns["class_recall"][c]),
            percent(columns["class_f1"][c]),
            columns["class_support"][c],
        )
        for c, name in enumerate(about.class_names)
    ]
    text = (
        markdown_environment()
        .get_template("report/model_card.md.jinja")
        .render(
            front_matter=Markup(front_matter(gathered, card)),
            name=about.name,
            card=card,
            rows=rows,
            classes=classes,
            facts=training_facts(about),
            command=Markup(_code(command_of(about.options))),
            versions=about.versions,
        )
    )
    return f"{text.rstrip()}\n\n<!-- keras-csg report {_digest(text)} -->\n"


def is_unchanged(path: pathlib.Path) -> bool:
    """Whether a card is as `report` wrote it: nobody's words would be lost.

    Args:
        path: path of a file that is there.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    found = MARK.search(text)
    return found is not None and found[1] == _digest(text[: found.start()])


def _digest(text):
    return hashlib.sha256(text.rstrip().encode()).hexdigest()[:16]


def _code(text):
    """Returns text that ends no block of code it stands in."""
    return text.replace("```", "'''")


def front_matter(gathered: Gathered, card: Card) -> str:
    """Returns the YAML block at the head of a card, for a model hub.

    Args:
        gathered: `Gathered`.
        card: `Card`.
    """
    about, figures = gathered.about, gathered.measured.figures
    data = here(about.options.data)
    measured = [
        {"type": kind, "name": SENTENCES[name].label, "value": figures[name]}
        for name, kind in HUB_METRICS.items()
        if figures.get(name) is not None
    ]
    tags = ["image-classification", "keras", "keras-csg", "interpretability"]
    block: dict[str, Any] = {
        "library_name": "keras",
        "pipeline_tag": "image-classification",
        **({"license": card.license.lower()} if card.license else {}),
        "tags": tags + ["class-specific-gate"] * about.gated,
        "datasets": [data],
        "metrics": ["accuracy"] if "accuracy" in figures else [],
        "model-index": [
            {
                "name": about.name,
                "results": [
                    {
                        "task": {
                            "type": "image-classification",
                            "name": "Image classification",
                        },
                        "dataset": {
                            "name": data,
                            "type": data,
                            "split": "test",
                        },
                        "metrics": measured,
                    }
                ],
            }
        ],
    }
    return "\n".join(_yaml(block))


def _yaml(value, indent=0):
    """Yields the lines of plain data as YAML; scalars are JSON, which it is."""
    margin = "  " * indent
    pairs = (
        value.items() if isinstance(value, dict) else ((None, v) for v in value)
    )
    for key, item in pairs:
        head = f"{margin}-" if key is None else f"{margin}{key}:"
        if not isinstance(item, dict | list) or not item:
            yield f"{head} {_scalar(item)}"
        elif key is None:
            first, *others = _yaml(item, indent + 1)
            yield f"{head} {first.lstrip()}"
            yield from others
        else:
            yield head
            yield from _yaml(item, indent + 1)


def _scalar(value):
    text = json.dumps(value, ensure_ascii=False)
    # Line breaks to YAML, and what is not to be printed.
    return re.sub(
        "[\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff]",
        lambda match: f"\\u{ord(match[0]):04x}",
        text,
    )
