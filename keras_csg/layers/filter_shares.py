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


def share_out(scores: Any, least: int, able: Any = True) -> tuple[Any, Any]:
    """Gives classes that are short of filters those they are closest to.

    One round: each class with fewer than `least` filters asks for as many as
    it lacks, those whose owners' scores it comes nearest to, out of classes
    that have more than `least`. A filter goes to the one that comes nearest
    of all; of a class that would fall short itself only one is taken.

    Args:
        scores: Tensor of shape `(classes, filters)`.
        least: int, at least 0.
        able: bool Tensor `(classes,)`. Which classes may ask for any.

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
    lacking = ops.where(able, ops.relu(enough - counts), 0.0)
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


def share_out_classes(scores: Any) -> tuple[Any, Any]:
    """Gives filters without a class one, where there are more classes.

    One round of `share_out` the other way about: every class has the filter
    in which it leads most, or falls least short, and a filter that no class has
    gets the nearest of another's, unless it was never active.

    Args:
        scores: Tensor of shape `(classes, filters)`, fewer filters.

    Returns:
        A tuple of the scores, raised where a class changes filters, and how
        many filters had none before.
    """
    leads, rivals, live = _leads(scores)
    raised, lacking = share_out(ops.transpose(leads), 1, live[0])
    raised = ops.transpose(raised)
    return ops.where(raised > leads, rivals + raised, scores), lacking


def one_filter_each(scores: Any, own: Any) -> Any:
    """Says which filter is each class's, where there are more classes.

    Args:
        scores: Tensor of shape `(classes, filters)`, fewer filters.
        own: bool matrix of that shape, true for each filter's best class,
            which has a filter that is no class's first choice.

    Returns:
        A bool matrix of that shape.
    """
    leads, _, _ = _leads(scores)
    first = owners(ops.transpose(leads))[:, None]
    chosen = ops.equal(first, ops.arange(scores.shape[1])[None, :])
    left = ops.logical_not(ops.any(chosen, axis=0, keepdims=True))
    return ops.logical_or(chosen, ops.logical_and(own, left))


def _leads(scores):
    """Returns by how much each class leads, or falls short, in each filter.

    And the score of its best rival there, and which filters were ever active:
    in the others every class falls short most.
    """
    best, own, live = own_filters(scores, owners(scores))
    others = ops.where(own, ops.min(scores) - 1, scores)
    rivals = ops.where(own, ops.max(others, axis=0, keepdims=True), best)
    leads = scores - rivals
    return ops.where(live, leads, ops.min(leads) - 1), rivals, live


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
