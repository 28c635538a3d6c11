"""What `keras-csg --version` prints, without an import of any library."""

import platform

import click


def print_version(context, parameter, asked):
    """Prints the versions of what matters and ends the program."""
    if not asked or context.resilient_parsing:
        return
    from keras_csg.commands.installed import versions_told
    from keras_csg.version import version
    from keras_csg_cli.printing import print_line

    print_line(f"keras-csg, version {version()}")
    told = {"python": platform.python_version(), **versions_told()}
    print_line(", ".join(f"{name} {number}" for name, number in told.items()))
    context.exit()


version_option = click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=print_version,
    help="Show the versions and exit.",
)
