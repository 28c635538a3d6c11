"""Outlines of plane shapes, as functions of the pixels' coordinates.

Each takes `u` (to the right) and `v` (down), arrays of the same shape, and
returns which points lie inside: a bool array. The shapes fit into the unit
circle about the origin.
"""

import numpy as np


def bar(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """A thick line."""
    return (np.abs(u) < 0.95) & (np.abs(v) < 0.28)


def circle(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """A disc."""
    return u * u + v * v < 0.75


def crescent(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """A disc without another one beside it."""
    return (u * u + v * v < 1) & ((u - 0.45) ** 2 + v * v > 0.55)


def cross(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Two bars at a right angle."""
    short = np.minimum(np.abs(u), np.abs(v))
    return (short < 0.26) & (np.maximum(np.abs(u), np.abs(v)) < 0.95)


def ell(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """The letter L."""
    foot = (np.abs(u) < 0.65) & (v > 0.2) & (v < 0.7)
    return foot | ((u > -0.65) & (u < -0.15) & (np.abs(v) < 0.7))


def frame(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """A square with a square hole."""
    side = np.maximum(np.abs(u), np.abs(v))
    return (side < 0.7) & (side > 0.4)


def ring(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """A disc with a round hole."""
    square = u * u + v * v
    return (square < 0.8) & (square > 0.28)


def square(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """A filled square."""
    return np.maximum(np.abs(u), np.abs(v)) < 0.7


def star(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Five points about a pentagon."""
    fifth = 2 * np.pi / 5
    angle = np.abs((np.arctan2(u, -v) + fifth / 2) % fifth - fifth / 2)
    radius = np.sqrt(u * u + v * v)
    tip, notch = 1.0, 0.42
    # The straight line from a tip to the notch beside it.
    edge = tip * notch * np.sin(fifth / 2)
    slope = tip * np.sin(angle) + notch * np.sin(fifth / 2 - angle)
    return radius * slope < edge


def triangle(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Three equal sides."""
    return (v < 0.5) & (np.abs(u) * np.sqrt(3) - v < 1)


OUTLINES = {
    shape.__name__: shape
    for shape in (
        bar,
        circle,
        crescent,
        cross,
        ell,
        frame,
        ring,
        square,
        star,
        triangle,
    )
}
