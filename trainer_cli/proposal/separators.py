"""What stands between several labels in one text."""

from __future__ import annotations

from trainer_cli.profile.facts import ColumnFacts

# More classes, or labels, than this were hardly meant as such.
MAX_CLASSES = 1000
# What may stand between labels, and how many words a label has at most.
SEPARATORS = ("|", ";", ",")
MAX_WORDS = 4


def separator_of(facts: ColumnFacts) -> str | None:
    """What stands between the labels of one text: many texts are made of few labels. None where that is not so."""
    if facts.kind != "text" or not facts.is_exact:
        return None
    for separator in SEPARATORS:
        rows = {text: [part.strip() for part in text.split(separator)] for text in facts.counts}
        n_several = sum(facts.counts[text] for text, parts in rows.items() if len(parts) > 1)
        labels = {part for parts in rows.values() for part in parts if part}
        short = all(len(label.split()) <= MAX_WORDS for label in labels)
        if n_several * 10 >= facts.present and short and len(labels) < len(rows) and len(labels) <= MAX_CLASSES:
            return separator
    return None
