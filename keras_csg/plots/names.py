from collections.abc import Iterable


def literal(text: str) -> str:
    """Returns a text that matplotlib draws as it is.

    Between dollar signs it would read a formula.
    """
    return text.replace("$", r"\$")


def literal_names(names: Iterable[str]) -> list[str]:
    """Returns names that matplotlib draws as they are."""
    return [literal(name) for name in names]
