"""The command line as a program, which may be stopped from its start."""

from keras_csg_cli.ending import ending


def main():
    """Runs the command line; see `keras_csg_cli.main.main`."""
    try:
        ending.begin()
        from keras_csg_cli.main import main as run

        run()
    except BaseException:
        if ending.number is None:
            raise
        ending.leave()


if __name__ == "__main__":
    main()
