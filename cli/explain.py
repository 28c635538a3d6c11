import click

from keras_csg_cli.broken_files import about_broken
from keras_csg_cli.options import (
    ANY_PATH,
    UserMistake,
    data_dir_option,
    json_option,
    listed,
    load_library,
    say,
    trust_option,
    user_mistakes,
)
from keras_csg_cli.printing import print_json, print_line


@click.command(short_help="Show which filters decided about images.")
@click.argument("model_path", metavar="RUN|FILE", type=ANY_PATH)
@click.argument("images", metavar="IMAGE...", nargs=-1, required=True)
@json_option
@click.option(
    "--for",
    "for_class",
    metavar="CLASS",
    multiple=True,
    help="A class to explain beside the predicted one, and why not it "
    "(default: the second likeliest).",
)
@click.option(
    "--filters",
    type=click.IntRange(1),
    default=5,
    show_default=True,
    help="Filters to look at of each class.",
)
@click.option(
    "--without",
    metavar="N,N,...",
    multiple=True,
    help="Filters to switch off, by their numbers or names.",
)
@click.option(
    "--out",
    metavar="DIR",
    type=ANY_PATH,
    help="Write a picture of what decided about each image, its heatmap at "
    "the image's own size, and explanations.json into this folder.",
)
@click.option(
    "--galleries",
    is_flag=True,
    help="With --out: draw what each filter looks for, too, the images of the "
    "test split that fire it most.",
)
@data_dir_option
@click.option("--batch-size", type=click.IntRange(1), default=32)
@trust_option
def explain(model_path, images, as_json, for_class, without, **settings):
    """Show why the network in RUN or FILE says what it does of each IMAGE.

    Which filters carried the prediction, what each adds to the logit, to which
    class the gate gives it and where it looks; why not another class; what
    would be predicted without the class's own filters; and whether the
    class-specific head agrees.

    FILE is a .keras file or what `keras-csg export` wrote, which shows the
    predicted class alone. For RUN, weights:NAME stands for a trained network
    that came with the package. IMAGE is a file, a folder of them or a pattern
    such as "photos/*.jpg". Broken files are named at the end.
    """
    from keras_csg import commands
    from keras_csg.commands.arguments import check_there

    with user_mistakes():  # Before what takes seconds.
        commands.check_source(model_path)
        images = commands.find_images(images, log=say)
        check_there(images)
    load_library()
    if len(for_class) > 1:
        raise UserMistake(
            f"--for takes one class. Received: {', '.join(for_class)}"
        )
    settings["for_class"] = for_class[0] if for_class else None
    settings["without"] = listed(without)
    from keras_csg_cli.tracking import tracking

    with tracking() as track, user_mistakes():
        found = commands.explain_images(
            model_path, images, track=track, log=say, **settings
        )
    if as_json:
        print_json(found.to_dict())
    else:
        _print(found)
    if found.unread:
        raise UserMistake(
            about_broken(
                found.unread, len(found) + len(found.unread), "explanation"
            )
        )


def _print(found):
    for index, picture in enumerate(found.pictures):
        print_line(picture.name)
        for sentence in found.sentences(index):
            print_line(f"  {sentence}")
