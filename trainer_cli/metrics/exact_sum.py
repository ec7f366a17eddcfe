"""Sums of floats without any rounding, so that no order of adding changes a bit."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from trainer_cli.arrays import Array

# A float64 is a whole number of 53 bits times a power of two. Halves of it can be added 2**36 times in an int64.
MANTISSA_BITS = 53
HALF_BITS = 27


class ExactSum:
    """The sum of all numbers added, exact: by power of two, a whole number each.

    >>> total = ExactSum()
    >>> total.add(np.array([1e100, 1.0, -1e100]))
    >>> float(total.value)
    1.0
    """

    def __init__(self) -> None:
        self._parts: dict[int, int] = {}
        self._odd = 0.0

    def add(self, values: Array) -> None:
        """Add every number of an array. After a NaN or an infinity the sum is what numpy's would be."""
        flat = np.asarray(values, np.float64).reshape(-1)
        finite = np.isfinite(flat)
        if not finite.all():
            self._odd += float(flat[~finite].sum())
            flat = flat[finite]
        mantissas, exponents = np.frexp(flat)
        whole = np.ldexp(mantissas, MANTISSA_BITS).astype(np.int64)
        high, low = whole >> HALF_BITS, whole & ((1 << HALF_BITS) - 1)
        for exponent in np.unique(exponents).tolist():
            here = exponents == exponent
            part = (int(high[here].sum()) << HALF_BITS) + int(low[here].sum())
            self._parts[exponent] = self._parts.get(exponent, 0) + part

    def add_products(self, *factors: Array) -> None:
        """Add the product of the factors, number by number, exact as well (while none overflows)."""
        terms = [np.asarray(factors[0], np.float64)]
        for factor in factors[1:]:
            terms = [part for term in terms for part in exact_product(term, np.asarray(factor, np.float64))]
        for term in terms:
            self.add(term)

    def merge(self, other: ExactSum) -> None:
        self._odd += other._odd
        for exponent, part in other._parts.items():
            self._parts[exponent] = self._parts.get(exponent, 0) + part

    @property
    def is_finite(self) -> bool:
        return self._odd == 0.0

    @property
    def value(self) -> Fraction:
        """The sum of the finite numbers."""
        return sum(
            (part * Fraction(2) ** (exponent - MANTISSA_BITS) for exponent, part in self._parts.items()), Fraction(0)
        )

    def __float__(self) -> float:
        return float(self.value) if self.is_finite else self._odd


def exact(values: Array) -> Fraction:
    """The sum of finite values, not rounded."""
    total = ExactSum()
    total.add(values)
    return total.value


def exact_product(a: Array, b: Array) -> tuple[Array, Array]:
    """Two arrays whose sum is `a * b` exactly: the rounded product, and what rounding took.

    Dekker, "A Floating-Point Technique for Extending the Available Precision", 1971.
    """
    product = a * b
    a_high, b_high = high_half(a), high_half(b)
    a_low, b_low = a - a_high, b - b_high
    rest = a_low * b_low - (((product - a_high * b_high) - a_low * b_high) - a_high * b_low)
    return product, np.where(np.isfinite(product), rest, 0.0)


def high_half(x: Array) -> Array:
    """The upper 26 bits of each number (Veltkamp 1968)."""
    scaled = x * float((1 << HALF_BITS) + 1)
    return scaled - (scaled - x)
