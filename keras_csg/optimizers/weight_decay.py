def exclude_from_weight_decay(optimizer, gate_matrix):
    """Adds the gate to what an optimizer's weight decay leaves alone.

    Keras's public call replaces earlier exclusions and has no way to read
    them, so they are carried over from its private attributes.

    Args:
        optimizer: `keras.optimizers.Optimizer`.
        gate_matrix: the gate's variable.

    Raises:
        ValueError: if the optimizer has weight decay and is built already,
            when Keras takes no more exclusions, and the gate is not among
            them.
    """
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    if optimizer.weight_decay is None:
        return
    if optimizer.built:
        if optimizer._use_weight_decay(gate_matrix):
            raise ValueError(
                "The optimizer was built for another model, and its weight "
                "decay would move the gate: give `compile` a new one. "
                f"Received: optimizer={optimizer.name!r}"
            )
        return
    pattern = getattr(optimizer, "_exclude_from_weight_decay_pattern", None)
    excluded = getattr(optimizer, "_exclude_from_weight_decay", set())
    optimizer.exclude_from_weight_decay(
        var_list=[gate_matrix],
        var_names=[pattern.pattern] if pattern else None,
    )
    optimizer._exclude_from_weight_decay |= excluded
