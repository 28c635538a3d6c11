def stand_in_for(plain: type) -> property:
    """Makes a faster subclass pass for the Keras class it stands for.

    Keras names and serialises an object after its `__class__`, so to Keras it
    is the plain one, and what is saved loads where this package is not
    installed; `type()` and `isinstance` still tell.

    Args:
        plain: the Keras class.

    Returns:
        What to assign to `__class__` in the body of the subclass.
    """
    return property(lambda self: plain)
