"""What can be chosen of the formats: which are here, which narrow numbers."""

from collections.abc import Collection

from keras_csg.choices import ALL, QUANTIZATIONS
from keras_csg.deployment.formats.base import Format
from keras_csg.deployment.formats.registry import get_format, list_formats


def missing_formats() -> dict[str, str]:
    """Returns the formats that cannot be written here, and why not."""
    reasons = {name: get_format(name).missing() for name in list_formats()}
    return {name: why for name, why in reasons.items() if why is not None}


def choose_formats(asked: Collection[str]) -> list[str]:
    """Returns what is asked for, once each, in the order of registration.

    Args:
        asked: names of formats; `"all"` for those that can be written here.

    Raises:
        ValueError: if there is no such format, or it cannot be written here.
    """
    missing = missing_formats()
    named = in_order(asked, list_formats(), "formats")
    for name in named:
        if name in missing:
            raise ValueError(missing[name])
    if ALL in asked:
        return [name for name in list_formats() if name not in missing]
    return named


def choose_quantizations(
    asked: Collection[str], formats: Collection[str]
) -> list[str]:
    """Returns what is asked for, once each, the halves first.

    Args:
        asked: out of `keras_csg.choices.QUANTIZATIONS`, or `"all"`.
        formats: names of formats, of which one has to have each.

    Raises:
        ValueError: if there is none, or none of the formats has it.
    """
    named = in_order(asked, QUANTIZATIONS, "quantize")
    for kind in named:
        if not any(kind in get_format(f).quantizations for f in formats):
            raise ValueError(_refusal(kind, formats))
    if ALL not in asked:
        return named
    return [
        kind
        for kind in QUANTIZATIONS
        if any(kind in get_format(f).quantizations for f in formats)
    ]


def check_quantization(chosen: Format, quantize: str | None) -> None:
    """Raises `ValueError` if a format lacks a quantisation."""
    if quantize is None or quantize in chosen.quantizations:
        return
    if quantize not in QUANTIZATIONS:
        raise ValueError(
            f"`quantize` must be None or one of {', '.join(QUANTIZATIONS)}. "
            f"Received: quantize={quantize!r}"
        )
    raise ValueError(_refusal(quantize, [chosen.name]))


def unmet_wishes(formats: Collection[str], quantize: Collection[str]) -> str:
    """Says in a line what `"all"` left out, and who stays without narrowing.

    Args:
        formats: as they were asked for, `"all"` included.
        quantize: as it was asked for.

    Returns:
        str, empty where nothing is left out.
    """
    sentences = []
    if ALL in formats:
        sentences += [
            f"Without {name}: {why}" for name, why in missing_formats().items()
        ]
    chosen = choose_formats(formats)
    for kind in choose_quantizations(quantize, chosen):
        lacking = [f for f in chosen if kind not in get_format(f).quantizations]
        if lacking:
            sentences.append(f"No {kind} of {', '.join(lacking)}.")
    return " ".join(sentences)


def formats_with(quantize: str) -> list[str]:
    """Returns the names of the formats that have a quantisation."""
    return [
        name
        for name in list_formats()
        if quantize in get_format(name).quantizations
    ]


def in_order(
    asked: Collection[str], known: Collection[str], argument: str
) -> list[str]:
    """Returns what is asked for, once each, in the order of `known`.

    Args:
        asked: some names; `"all"` is passed over.
        known: all names there are.
        argument: str. What the names were given as.

    Raises:
        ValueError: naming those that are not known.
    """
    strange = [name for name in asked if name not in (*known, ALL)]
    if strange:
        raise ValueError(
            f"`{argument}` must be out of {', '.join(known)}. "
            f"Received: {argument}={', '.join(map(str, strange))}"
        )
    return [name for name in known if name in asked]


def _refusal(kind, formats):
    """Returns why none of some formats has a quantisation."""
    reasons = [
        get_format(name).never_quantized[kind]
        for name in formats
        if kind in get_format(name).never_quantized
    ]
    return " ".join(
        [
            f"`quantize='{kind}'` is for the format "
            f"{' or '.join(formats_with(kind))}.",
            *reasons,
            f"Received: format={', '.join(formats)}",
        ]
    )
