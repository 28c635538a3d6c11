"""Results as people read them."""

import click


def print_metrics(metrics, title):
    """Prints a flat dict of figures as a table on stdout."""
    from rich.console import Console
    from rich.table import Table

    table = Table("figure")
    table.add_column("value", justify="right")
    for name, value in metrics.items():
        text = f"{value:.4f}" if isinstance(value, float) else str(value)
        table.add_row(name.replace("_", " "), text)
    click.echo(title)
    Console().print(table)
