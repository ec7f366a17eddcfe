"""What losses and metrics accept: guesses, class numbers, distributions and weights, checked and converted once.

Every check names the part that asked (`name`) and both shapes. They run in each update: a few microseconds each.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.errors import ArgumentError, ShapeError

# A softmax in float32 may overshoot 1 by rounding; a row of a one-hot table may be off by as much.
ROUNDING = 1e-3


def as_guesses(name: str, guesses: Any, *, least_rows: int = 1) -> Array:
    """The guesses as (B, n) floats: float32 and float64 as they are, anything else as float64."""
    array = as_floats(name, "guesses", guesses)
    if array.ndim != 2 or array.shape[0] < least_rows or array.shape[1] < 1:
        least = "at least one of each" if least_rows else "at least one column"
        raise ShapeError(f"{name}: guesses must be (rows, columns) with {least}, got shape {array.shape}")
    return array


def as_outputs(name: str, guesses: Any, *, least_size: int = 1) -> Array:
    """The guesses as (B, ...) floats with any number of axes, the first one rows."""
    array = as_floats(name, "guesses", guesses)
    if array.ndim < 1 or array.size < least_size:
        raise ShapeError(f"{name}: guesses must be an array with at least one row, got shape {array.shape}")
    return array


def as_floats(name: str, what: str, values: Any, dtype: Any = None) -> Array:
    """The values as floats of `dtype`; without one, float32 and float64 stay and anything else becomes float64.

    They come in C order: that of the memory would be that of numpy's sums, which a copy could change.
    """
    if dtype is None and type(values) is np.ndarray and values.dtype.char in "fd" and is_plain(values):
        return values
    try:
        array = np.asarray(values, dtype=dtype, order="C")
        return array if array.dtype in (np.float32, np.float64) else array.astype(np.float64)
    except (TypeError, ValueError) as err:
        raise ArgumentError(f"{name}: {what} must be an array of numbers, got {type(values).__name__}: {err}") from err


def is_plain(array: Array) -> bool:
    """Whether numbers lie in C order, with the bytes of each in this machine's."""
    return array.flags.c_contiguous and array.dtype.isnative


def as_alike(name: str, truths: Any, guesses: Array, *, may_be_flat: bool = True) -> Array:
    """Truths in the shape and type of the guesses; for one column they may also be (B,)."""
    array = as_floats(name, "truths", truths, guesses.dtype)
    if may_be_flat and (*array.shape, 1) == guesses.shape:
        array = array[:, None]
    if array.shape != guesses.shape:
        raise ShapeError(f"{name}: truths must have the guesses' shape {guesses.shape}, got shape {array.shape}")
    return array


def as_errors(name: str, guesses: Any, truths: Any, weights: Any = None) -> tuple[Array, Array | None]:
    """`guesses - truths`, both (B, ...), and the weights of the rows."""
    guesses = as_outputs(name, guesses)
    errors = guesses - as_alike(name, truths, guesses)
    return errors, as_weights(name, weights, len(guesses))


def as_weights(name: str, weights: Any, n_rows: int) -> Array | None:
    """The weights of the rows, (B,), none of them negative; None stays None."""
    if weights is None:
        return None
    array = as_floats(name, "weights", weights)
    if array.shape != (n_rows,):
        raise ShapeError(f"{name}: weights must be one for each of {n_rows} rows, got shape {array.shape}")
    if array.size and not (array.min() >= 0.0 and array.max() < np.inf):  # also true for NaN
        raise ArgumentError(f"{name}: weights must be finite and not negative, got {array.min()} to {array.max()}")
    return array


def as_array(name: str, truths: Any) -> Array:
    """The truths as an array of whatever they are."""
    try:
        return np.asarray(truths)
    except ValueError as err:
        raise ShapeError(f"{name}: truths must be rows of one length, got {type(truths).__name__}: {err}") from err


def as_classes(name: str, truths: Any, shape: tuple[int, ...], *, add_up: bool = True, least: int = 0) -> Array:
    """Truths for guesses of `shape` (B, n): class numbers (B,), or a distribution a row (B, n) in the given type.

    One-hot rows are distributions. A class number below `least` (-1 where a class that training never had may come)
    or from n on, and a row that has a value outside [0, 1] or does not `add_up` to 1, are an ArgumentError.
    """
    array = as_array(name, truths)
    if array.ndim == 1 and array.shape[0] == shape[0]:
        return _class_numbers(name, array, shape[1], least)
    if array.shape == shape:
        return _distributions(name, array, add_up)
    got = "None" if truths is None else f"shape {array.shape}"
    remedy = ": truths.reshape(-1) makes them class numbers" if array.shape == (shape[0], 1) else ""
    rule = f"truths must be {shape[0]} class numbers or have the guesses' shape {shape}"
    raise ShapeError(f"{name}: {rule}, got {got}{remedy}")


def are_class_numbers(truths: Any, shape: tuple[int, ...]) -> bool:
    """Whether these are plain class numbers (B,) from 0 to n - 1 of guesses (B, n), of which nothing is to be said."""
    if not isinstance(truths, np.ndarray) or truths.dtype != np.int64 or truths.shape != shape[:1] or not truths.size:
        return False
    return int(truths.view(np.uint64).max()) < shape[1]  # negative ones would be the largest


def check_probabilities(name: str, guesses: Array, hint: str = "") -> None:
    """Refuse guesses outside [0, 1]; NaN goes through, for the caller to stop at."""
    if not guesses.size:
        return
    low, high = guesses.min(), guesses.max()
    if low < 0.0 or high > 1.0 + ROUNDING:
        message = f"{name}: guesses must be probabilities in [0, 1], got values from {low:.6g} to {high:.6g}"
        raise ArgumentError(f"{message}. {hint}" if hint else message)


def check_truths_within_unit(name: str, truths: Array) -> None:
    """Refuse truths outside [0, 1], NaN included."""
    if truths.size and not (truths.min() >= 0 and truths.max() <= 1):
        raise ArgumentError(f"{name}: truths must lie in [0, 1], got values from {truths.min()} to {truths.max()}")


def class_numbers(name: str, truths: Any, shape: tuple[int, ...]) -> Array:
    """The class of each row, (B,) int64, from class numbers (-1: a class that training never had) or one-hot rows."""
    classes = as_classes(name, truths, shape, least=-1)
    return (classes if classes.ndim == 1 else classes.argmax(axis=1)).astype(np.int64, copy=False)


def as_bits(name: str, truths: Any, n_rows: int) -> Array:
    """Truths of one column, numbers 0 and 1 of any type, (B,) or (B, 1), as (B,) of bool."""
    numbers = as_floats(name, "truths", truths)
    if numbers.shape not in ((n_rows,), (n_rows, 1)):
        raise ShapeError(f"{name}: truths must be one for each of {n_rows} rows, got shape {numbers.shape}")
    numbers = numbers.reshape(n_rows)
    bits: Array = numbers == 1.0
    wrong = bits != numbers
    if wrong.any():
        row = int(wrong.argmax())
        raise ArgumentError(f"{name}: truths for one column must be 0 or 1, got {numbers[row]} in row {row}")
    return bits


def as_flags(name: str, truths: Any, shape: tuple[int, ...]) -> Array:
    """Truths (B, n) that are each 0 or 1, as bool."""
    numbers = as_floats(name, "truths", truths)
    if numbers.shape != shape:
        rule = f"truths must be flags in the guesses' shape {shape}"
        raise ShapeError(f"{name}: {rule}, got shape {numbers.shape}")
    flags: Array = numbers == 1.0
    wrong = flags != numbers
    if wrong.any():
        row, column = (int(i) for i in np.argwhere(wrong)[0])
        value = f"{numbers[row, column]} in row {row}, column {column}"
        raise ArgumentError(f"{name}: truths must be flags, each 0 or 1, got {value}")
    return flags


def _class_numbers(name: str, truths: Array, n_classes: int, least: int) -> Array:
    if not truths.size:
        return truths.astype(np.int64)  # an empty list has no type of its own
    if truths.dtype.kind not in "iu":
        remedy = ": truths.astype(int) makes them" if truths.dtype.kind == "f" else ""
        raise ArgumentError(f"{name}: one truth a row must be a class number (an integer), got {truths.dtype}{remedy}")
    if truths.min() < least or truths.max() >= n_classes:
        row = int(np.argmax((truths < least) | (truths >= n_classes)))
        raise ArgumentError(f"{name}: class numbers go from 0 to {n_classes - 1}, got {truths[row]} in row {row}")
    return truths


def _distributions(name: str, truths: Array, add_up: bool) -> Array:
    if truths.dtype.kind not in "biuf":
        raise ArgumentError(f"{name}: truths must be numbers, got {truths.dtype}")
    check_truths_within_unit(name, truths)
    if add_up:
        sums = truths.sum(axis=1, dtype=np.float64)
        row = int(np.argmax(np.abs(sums - 1.0)))
        if abs(sums[row] - 1.0) > ROUNDING:
            raise ArgumentError(f"{name}: each row of truths must add up to 1, row {row} adds up to {sums[row]:.6g}")
    return truths
