import keras_csg.backbones.weights as weights
from keras_csg.choices import WEIGHTS_PREFIX
from keras_csg.commands.arguments import check_text
from keras_csg.commands.input_error import input_errors


def list_weights(name: str | None = None) -> list[weights.WeightsCard]:
    """Returns the cards of the trained networks that come with the package.

    Args:
        name: str. Of one alone, with or without `weights:` before it; `None`
            for all.

    Returns:
        A list of `WeightsCard`: what each was trained on, what it is worth and
        what it is not good for.

    Raises:
        InputError: if there is none of that name.

    Example:
    >>> [card.name for card in keras_csg.list_weights()]
    ['cifar10', 'cifar10-standard']
    """
    check_text("name", name, optional=True)
    with input_errors():
        if name is None:
            return weights.list_cards()
        return [weights.read_card(name.removeprefix(WEIGHTS_PREFIX))]
