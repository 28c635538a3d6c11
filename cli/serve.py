import click

from keras_csg_cli.options import (
    ANY_PATH,
    UserMistake,
    load_library,
    say,
    trust_option,
    user_mistakes,
)
from keras_csg_cli.printing import print_line


class _Port(click.ParamType):
    """A port, or none."""

    name = "port"

    def convert(self, value, param, ctx):
        """Returns an int, or `None` for the word."""
        if value is None or str(value).lower() == "none":
            return None
        try:
            return click.IntRange(0, 65535).convert(value, param, ctx)
        except click.BadParameter:
            self.fail(f"{value!r} is no port in 0..65535, nor none.")


@click.command(short_help="Serve an exported file to programs.")
@click.argument("source", metavar="FILE|RUN", type=ANY_PATH)
@click.option("--name", help="The model's name (default: the file's).")
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Address to listen at. Others reach all but the default: there is no "
    "password.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8080,
    show_default=True,
    help="Port of HTTP; 0 for a free one.",
)
@click.option(
    "--grpc-port",
    type=_Port(),
    default="8081",
    show_default=True,
    help="Port of gRPC; 0 for a free one, none for no gRPC.",
)
@click.option(
    "--threads",
    type=click.IntRange(1),
    help="Threads that compute (default: the runtime's choice).",
)
@click.option(
    "--workers",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Processes at the same ports, each with the model in its memory.",
)
@click.option(
    "--max-batch-size",
    type=click.IntRange(1),
    default=64,
    show_default=True,
    help="Most images of a request, and of what is joined of several.",
)
@click.option(
    "--max-body",
    metavar="BYTES",
    type=click.IntRange(1),
    help="Most bytes of a request (default: what the largest batch needs).",
)
@click.option(
    "--max-pixels",
    type=click.IntRange(1),
    default=5 * 10**7,
    help="Image files with more are not decoded (default: 50,000,000).",
)
@trust_option
def serve(source, **settings):
    """Serve an exported model on the Open Inference Protocol V2.

    FILE is what `keras-csg export` wrote; a RUN, or weights:NAME, is exported
    to ONNX first. Tensors and JPEG or PNG files are answered over HTTP and
    gRPC, and requests that come at the same time are joined into batches. To
    ask by hand: curl --data-binary @photo.jpg ADDRESS/infer

    Figures for Prometheus are at /metrics. Ctrl-C or SIGTERM ends it when the
    requests that have come are answered; a second one ends it at once. Prints
    the address. Needs `pip install 'keras-csg[server]'`.
    """
    from keras_csg import commands
    from keras_csg.commands.serve import needs_tensorflow

    if needs_tensorflow(source):
        load_library()
    with user_mistakes():
        served = commands.serve(source, log=say, block=False, **settings)
    print_line(served.url)
    try:
        served.wait()
    except RuntimeError as error:  # One line: nothing in it is to be mended.
        raise UserMistake(str(error)) from error
