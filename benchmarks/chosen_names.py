import click


def chosen_names(text, known, option):
    """Returns the names that an option gives between commas.

    Args:
        text: what the option was given; `None` for all names.
        known: the names there are.
        option: str. The option.

    Raises:
        click.BadParameter: if one of them is not known.
    """
    if text is None:
        return list(known)
    names = [name.strip() for name in text.split(",")]
    if unknown := [name for name in names if name not in known]:
        raise click.BadParameter(
            f"{', '.join(unknown)}; there are {', '.join(known)}.",
            param_hint=option,
        )
    return names
