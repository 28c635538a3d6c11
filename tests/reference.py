"""The paper's formulas in plain NumPy, written down apart from the package.

The network is one 1x1 convolution with ReLU, an average over the map and a
linear head: small enough to differentiate by hand, and all that the gate sees.
"""

import numpy as np


def softmax(logits):
    exponents = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponents / exponents.sum(axis=1, keepdims=True)


def cross_entropy(logits, targets, weights):
    """Mean over the batch of weight * -sum(target * log p); its gradient."""
    p = softmax(logits)
    losses = -(targets * np.log(p)).sum(axis=1)
    n = len(logits)
    gradient = weights[:, None] * (p * targets.sum(1, keepdims=True) - targets)
    return (weights * losses).sum() / n, gradient / n


def project(gate):
    """Divides each column by its maximum over the classes, clips to [0, 1]."""
    return np.clip(gate / gate.max(axis=0, keepdims=True), 0, 1)


def gated_step(
    images,
    targets,
    sample_weights,
    parameters,
    *,
    standard_weight=1.0,
    gated_weight=1.0,
    lambda_1=1.0,
    lambda_2=0.0,
    lambda_3=0.0,
    density=0.1,
    learning_rate=0.1,
):
    """Loss, gradients and the weights after one step of gradient descent."""
    V, v, W, b, G = (np.asarray(p, "float64") for p in parameters)
    n, h, w, _ = images.shape
    classes, filters = G.shape
    pre = images @ V + v  # (n, h, w, filters)
    a = np.maximum(pre, 0).mean(axis=(1, 2))
    rows = targets @ G

    standard, d_standard = cross_entropy(a @ W + b, targets, sample_weights)
    gated, d_gated = cross_entropy((rows * a) @ W + b, targets, sample_weights)
    specific, d_specific = cross_entropy(
        a @ (W * G.T) + b, targets, sample_weights
    )
    excess = np.abs(G).sum() - density * classes * filters
    loss = (
        standard_weight * standard
        + gated_weight * lambda_1 * gated
        + gated_weight * lambda_3 * specific
        + lambda_2 * max(excess, 0)
    )

    d_standard = standard_weight * d_standard
    d_gated = gated_weight * lambda_1 * d_gated
    d_specific = gated_weight * lambda_3 * d_specific
    d_W = a.T @ d_standard + (rows * a).T @ d_gated
    d_W += (a.T @ d_specific) * G.T
    d_b = (d_standard + d_gated + d_specific).sum(axis=0)
    d_G = targets.T @ (a * (d_gated @ W.T))
    d_G += (W * (a.T @ d_specific)).T
    d_G += lambda_2 * (excess > 0) * np.sign(G)
    d_a = d_standard @ W.T + rows * (d_gated @ W.T)
    d_a += d_specific @ (W * G.T).T
    d_pre = d_a[:, None, None, :] / (h * w) * (pre > 0)
    d_V = np.einsum("nhwi,nhwk->ik", images, d_pre)
    d_v = d_pre.sum(axis=(0, 1, 2))

    gradients = [d_V, d_v, d_W, d_b, d_G]
    after = [
        p - learning_rate * g
        for p, g in zip((V, v, W, b, G), gradients, strict=True)
    ]
    if gated_weight > 0:
        after[-1] = project(after[-1])
    else:
        after[-1] = G
    return loss, gradients, after
