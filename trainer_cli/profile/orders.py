"""Whether the day or the month comes first in a column of dates such as 03/25/2021: one value above 12 tells."""

from __future__ import annotations

from datetime import datetime

from trainer_cli.data.encoders.datetimes import ORDERS, Order, is_short, moment

Dated = tuple[datetime, str]


class Orders:
    """Takes in a column's dates of which one alone does not tell the day from the month."""

    def __init__(self) -> None:
        self._ranges: dict[Order, tuple[Dated, Dated] | None] = dict.fromkeys(ORDERS)
        self._refuted: dict[Order, str] = {}
        self._example = self._short = self._neither = ""

    def add(self, text: str) -> None:
        self._example = self._example or text
        if is_short(text):
            self._short = self._short or text
        found = {order: moment(text, order) for order in ORDERS}
        if not any(found.values()):
            self._neither = self._neither or text
        for order in list(self._ranges):
            if (when := found[order]) is None:
                del self._ranges[order]
                self._refuted[order] = text
            else:
                low, high = self._ranges[order] or ((when, text), (when, text))
                self._ranges[order] = min(low, (when, text)), max(high, (when, text))

    @property
    def order(self) -> Order | None:
        """The only order in which all are dates; None if there is none, or if both are possible."""
        return next(iter(self._ranges)) if self._example and len(self._ranges) == 1 else None

    def range(self) -> tuple[Dated, Dated] | None:
        """The least and the greatest date in that order."""
        return self._ranges[self.order] if self.order else None

    def doubt(self) -> str:
        """Why no order is plain, and what helps; an empty text where one is.

        >>> orders = Orders()
        >>> orders.add("25/03/2021"), orders.add("03/25/2021")
        (None, None)
        >>> orders.doubt()
        'the day comes first in "25/03/2021", the month in "03/25/2021"; write 2024-12-31 to use it'
        """
        if not self._example or self.order:
            return ""
        if len(self._ranges) == len(ORDERS):
            remedy = f'dates.v1 with order = "{ORDERS[1]}" (or "{ORDERS[0]}") reads it'
            return f'written as "{self._example}", and no day is above 12: day or month first? {remedy}'
        if self._short:
            return f'written as "{self._short}": of which century? Write 2024-12-31 to use it'
        if self._neither:
            return f'"{self._neither}" is no date, whether the day or the month comes first'
        day, month = self._refuted[ORDERS[1]], self._refuted[ORDERS[0]]
        return f'the day comes first in "{day}", the month in "{month}"; write 2024-12-31 to use it'
