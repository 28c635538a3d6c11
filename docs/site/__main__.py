"""Builds the site: `python docs/site build/site`."""

import argparse
import os
import shutil
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

HERE = Path(__file__).parent


def main(args=None):
    """Builds into a folder; returns Sphinx's exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, help="where the site is to be")
    parser.add_argument(
        "--check-links",
        action="store_true",
        help="ask for every address on the pages instead, over the network",
    )
    asked = parser.parse_args(args)
    try:
        from sphinx.cmd.build import build_main
    except ModuleNotFoundError:
        sys.exit("Sphinx is missing: pip install 'keras-csg[docs]'")
    from pages import write_pages
    from reference import write_reference

    source = asked.out.with_name(asked.out.name + "-pages")
    shutil.rmtree(source, ignore_errors=True)
    write_pages(source)
    write_reference(source)
    # What Sphinx keeps between builds does not belong to the site.
    kept = asked.out.with_name(asked.out.name + "-kept")
    builder = "linkcheck" if asked.check_links else "html"
    out = kept / "links" if asked.check_links else asked.out
    shutil.rmtree(out, ignore_errors=True)
    words = ["-b", builder, "-W", "--keep-going", "-q", "-E"]
    return build_main(
        [*words, "-c", str(HERE), "-d", str(kept), str(source), str(out)]
    )


if __name__ == "__main__":
    sys.exit(main())
