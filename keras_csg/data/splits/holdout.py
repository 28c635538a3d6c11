import numpy as np

TEST_FRACTION = 0.2
"""Share held out as test split where a data set has none."""


def hold_out(
    labels: np.ndarray, fraction: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Splits examples in two, with the same share of every class.

    Where a class is too small to be shared out, the split is a plain random
    one.

    Args:
        labels: int array of shape `(examples,)`.
        fraction: float. Share of the second part.
        seed: int. Seed of the choice.

    Returns:
        Two sorted int arrays: positions kept and positions held out.
    """
    from sklearn.model_selection import train_test_split  # Slow to import.

    counts = np.unique(labels, return_counts=True)[1]
    held = np.ceil(len(labels) * fraction)
    shared = counts.min() > 1 and held >= len(counts)
    kept, held = train_test_split(
        np.arange(len(labels)),
        test_size=fraction,
        random_state=seed % 2**32,
        stratify=labels if shared else None,
    )
    return np.sort(kept), np.sort(held)


def three_ways(
    labels: np.ndarray,
    validation_split: float,
    seed: int,
    numbers: np.ndarray | None = None,
) -> tuple[np.ndarray, ...]:
    """Splits examples into train, validation and test.

    The test split does not depend on the seed, so runs with different seeds
    can be compared.

    Args:
        labels: int array of shape `(examples,)`.
        validation_split: float. Share of the training examples to hold out.
        seed: int. Seed of the validation split.
        numbers: int array of shape `(examples,)`, negative for examples that
            are left out of their split; `None` for all.

    Returns:
        Three sorted int arrays of positions.
    """
    rest, test = hold_out(labels, TEST_FRACTION, seed=0)
    train, validation = hold_out(labels[rest], validation_split, seed)
    parts = rest[train], rest[validation], test
    if numbers is None:
        return parts
    return tuple(part[numbers[part] >= 0] for part in parts)
