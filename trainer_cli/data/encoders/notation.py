"""Numbers as people write them: 1.234,5 or $1,200 or 12 %."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from functools import cached_property

from trainer_cli.data.faults import refused, shown

DECIMALS = (".", ",")
THOUSANDS = ("", ",", ".", " ", "'")
# What may stand before or behind a number; it does not change it: 12 % is 12.
SIGNS = "$€£¥₹%"


@dataclass(frozen=True)
class Notation:
    """What stands before the fraction, what between thousands ("" for nothing), and whether a sign of a currency or of
    percent may stand before or behind the number; a minus may stand before either."""

    decimal: str = "."
    thousands: str = ""
    units: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether numbers are written as every reader of CSV takes them."""
        return self == Notation()

    def settings(self) -> dict[str, str | bool]:
        """The arguments that are not as they are if left out."""
        return {name: value for name, value in asdict(self).items() if value != getattr(Notation, name)}

    def translated(self, text: str) -> str | None:
        """A number as Python writes it; None where the text writes none, to the letter.

        >>> Notation(",", ".").translated("1.234,5"), Notation(",", ".").translated("1,234.5")
        ('1234.5', None)
        >>> Notation(thousands=",", units=True).translated("-$1,200"), Notation(units=True).translated("12 %")
        ('-1200', '12')
        """
        found = self._pattern.fullmatch(text.strip())
        if found is None or (found["before"] and found["behind"]):
            return None
        whole, fraction, power = found["whole"], found["fraction"] or "", found["power"] or ""
        if self.thousands:
            whole = whole.replace(self.thousands, "")
        return f"{found['minus'] or ''}{whole}{fraction.replace(self.decimal, '.')}{power}"

    def said(self) -> str:
        """As a config writes it.

        >>> Notation(",", ".").said()
        'decimal = ",", thousands = "."'
        """
        return ", ".join(f"{name} = {json.dumps(value)}" for name, value in self.settings().items())

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        point, comma = re.escape(self.decimal), re.escape(self.thousands)
        # Thousands are all marked or none is: 1,234,567 or 1234567.
        whole = rf"[1-9][0-9]{{0,2}}(?:{comma}[0-9]{{3}})+|[0-9]+" if self.thousands else "[0-9]+"
        before, behind = rf"(?P<before>[{SIGNS}])?\s?", rf"\s?(?P<behind>[{SIGNS}])?"
        if not self.units:
            before, behind = "(?P<before>)", "(?P<behind>)"
        body = rf"(?P<whole>{whole})(?P<fraction>{point}[0-9]*)?(?P<power>[eE][-+]?[0-9]+)?"
        return re.compile(rf"(?P<minus>[-+])?{before}{body}{behind}", re.ASCII)


PLAIN = Notation()
# In this order: of texts that fit several, as 1,234 does, the first is meant.
PAIRS = ((".", ""), (".", ","), (",", ""), (",", "."), (",", " "), (".", " "), (".", "'"), (",", "'"))
NOTATIONS = tuple(Notation(*pair, units) for units in (False, True) for pair in PAIRS)


def notation_of(decimal: str | None, thousands: str | None, units: bool | None) -> Notation:
    """The notation that arguments ask for; a DataError names one that is none."""
    found = Notation("." if decimal is None else decimal, thousands or "", bool(units))
    if found.decimal not in DECIMALS:
        raise refused("decimal", f'decimal is "." or ",", got {found.decimal!r}')
    if found.thousands not in THOUSANDS:
        rule = f"thousands is one of {', '.join(map(shown, THOUSANDS[1:]))}"
        raise refused("thousands", f"{rule}, got {found.thousands!r}")
    if found.thousands == found.decimal:
        message = f"thousands and decimal are both {shown(found.decimal)}: say which of them is another"
        raise refused("thousands", message)
    return found


def fitting(text: str) -> tuple[Notation, ...]:
    """The notations that a text is a number in.

    >>> [each.said() for each in fitting("1.234,5")]
    ['decimal = ",", thousands = "."', 'decimal = ",", thousands = ".", units = true']
    """
    return tuple(each for each in NOTATIONS if each.translated(text) is not None)
