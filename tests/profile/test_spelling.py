import pytest

from trainer_cli.profile.spelling import spelling


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("", "missing"),
        ("  ", "missing"),
        ("NaN", "missing"),
        ("n/a", "missing"),
        ("0", "whole"),
        ("-3", "whole"),
        ("1e3", "whole"),
        ("0.5", "number"),
        ("007", "code"),
        ("00", "code"),
        ("TRUE", "truth"),
        ("no", "truth"),
        ("2024-02-29", "date"),
        ("2024-02-29T10:30:00Z", "date"),
        ("2024/2/9", "date"),
        ("29.02.2024", "date"),
        ("31 Jan 2024", "date"),
        ("12/31/2024", "date?"),
        ("31.04.2024", "text"),
        ("0000-01-01", "text"),
        ("2023-02-29", "text"),
        ("2024-02/09", "text"),
        ("$1,200", "amount"),
        ("1,200", "amount"),
        ("1,5", "amount"),
        ("12 %", "amount"),
        ("1.200,50 EUR", "amount"),
        ("(300)", "amount"),
        ("inf", "text"),
        ("1_000", "text"),
        ("٣", "text"),
        ("room 3", "text"),
        ("1.2.3", "text"),
        ("Ünïcode", "text"),
    ],
)
def test_each_spelling_is_told(text, kind):
    assert spelling(text)[0] == kind
