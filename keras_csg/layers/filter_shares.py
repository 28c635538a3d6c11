"""Which filter is whose, and that no class is left without."""

from typing import Any

from keras import ops


def owners(scores: Any) -> Any:
    """Returns the class of each filter's largest score, of shape `(filters,)`.

    Equal scores, such as a filter's that was never active, go to the classes
    in turn, so that not all of them fall to the first.
    """
    classes, filters = scores.shape
    tied = scores >= ops.max(scores, axis=0, keepdims=True)
    turn = ops.arange(classes)[:, None] + ops.arange(filters)[None, :]
    return ops.argmax(ops.where(tied, turn % classes, -1), axis=0)


def own_filters(scores: Any, holders: Any) -> tuple[Any, Any, Any]:
    """Says which filters are whose.

    Args:
        scores: Tensor of shape `(classes, filters)`.
        holders: their `owners`.

    Returns:
        A tuple of each filter's best score, `(1, filters)`; a bool matrix,
        `(classes, filters)`, true for a filter's own class; and whether a
        filter has told classes apart at all, `(1, filters)`.
    """
    best = ops.max(scores, axis=0, keepdims=True)
    live = best > ops.min(scores, axis=0, keepdims=True)
    classes = ops.arange(scores.shape[0])[:, None]
    own = ops.equal(classes, ops.cast(holders, classes.dtype)[None, :])
    return best, own, live


def share_out(scores: Any, least: int) -> tuple[Any, Any]:
    """Gives classes that are short of filters those they are closest to.

    One round: each class with fewer than `least` filters asks for as many as
    it lacks, those whose owners' scores it comes nearest to, out of classes
    that have more than `least`. A filter goes to the one that comes nearest
    of all; of a class that would fall short itself only one is taken.

    Args:
        scores: Tensor of shape `(classes, filters)`.
        least: int, at least 0.

    Returns:
        A tuple of the scores, raised where a filter changes hands, and how
        many filters the classes lacked before.
    """
    if least < 1:
        return scores, 0.0
    holders = owners(scores)
    best, own, live = own_filters(scores, holders)
    counts = ops.sum(ops.cast(ops.logical_and(own, live), "float32"), axis=1)
    # Filters that are never active are no good to anybody.
    share = ops.mean(ops.cast(live, "float32"))
    enough = ops.maximum(ops.floor(least * share), 1.0)
    lacking = ops.relu(enough - counts)
    surplus = ops.relu(counts - enough)
    free = ops.logical_and(live, (ops.take(surplus, holders) > 0)[None, :])
    wanted = ops.logical_and(free, (lacking > 0)[:, None])
    costs = ops.where(wanted, best - scores, float("inf"))
    given = _asked(costs, lacking, least)
    cheapest = ops.min(ops.where(given, costs, float("inf")), axis=0)
    allowed = _within_surplus(cheapest, own, holders, surplus)
    given = ops.logical_and(given, costs <= cheapest[None, :])
    given = ops.logical_and(given, allowed[None, :])
    margin = 1e-3 * ops.mean(best - scores)
    return ops.where(given, best + margin, scores), ops.sum(lacking)


def _asked(costs, lacking, least):
    """Says which filters each class asks for: the nearest that it lacks."""
    nearest, _ = ops.top_k(-costs, least)
    place = ops.cast(ops.maximum(lacking - 1, 0), "int32")[:, None]
    limit = -ops.take_along_axis(nearest, place, axis=1)
    # At least one filter fewer than it lacks may be free: the limit is then
    # infinite, and all that are free are asked for.
    return ops.logical_and(costs <= limit, ops.isfinite(costs))


def _within_surplus(cheapest, own, holders, surplus):
    """Says which filters may go without their class falling short."""
    taken = ops.isfinite(cheapest)
    lost = ops.sum(ops.cast(own, "float32") * ops.cast(taken, "float32"), 1)
    first = ops.min(ops.where(own, cheapest[None, :], float("inf")), axis=1)
    enough = ops.take(lost <= surplus, holders)
    return ops.logical_or(enough, cheapest <= ops.take(first, holders))
