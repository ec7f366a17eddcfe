"""How many different texts there are: counted while they are few, estimated from hashes when they are many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from hashlib import blake2b

# So many smallest hashes are kept: the estimate's standard error is 1 / sqrt(K - 2), here 3 %.
K = 1024
# Longer texts are known by their beginning and a hash.
MAX_KEY = 64
SPACE = 2.0**64


class Distinct:
    """Counts texts exactly up to `limit` different ones, and estimates their number beyond.

    The estimate is `(K - 1) / u`, u being the K-th smallest of the texts' hashes, taken as numbers between 0 and 1
    (Bar-Yossef et al., *Counting Distinct Elements in a Data Stream*, 2002; unbiased by Beyer et al., *On Synopses for
    Distinct-Value Estimation Under Multiset Operations*, 2007). `counts` then has the first `limit` texts that came.
    """

    def __init__(self, limit: int = 10_000):
        self.limit = limit
        self.counts: Counter[str] = Counter()
        self.is_exact = True
        self._smallest: set[int] = set()

    def add(self, counts: Mapping[str, int]) -> None:
        """Take in texts, each with how often it came."""
        keyed = {key_of(text): count for text, count in counts.items()}
        if self.is_exact and len(self.counts) + len(keyed) <= self.limit:
            self.counts.update(keyed)
            return
        for key, count in keyed.items():
            if key in self.counts or len(self.counts) < self.limit:
                self.counts[key] += count
            elif self.is_exact:
                self.is_exact = False
                self._smallest = set(map(hashed, self.counts))
        if not self.is_exact:
            self._smallest.update(map(hashed, keyed))
            if len(self._smallest) > 8 * K:
                self._smallest = set(sorted(self._smallest)[:K])

    @property
    def n(self) -> int:
        """How many different texts came, exactly or nearly."""
        if self.is_exact:
            return len(self.counts)
        if len(self._smallest) < K:
            return len(self._smallest)
        return max(self.limit, round((K - 1) / ((sorted(self._smallest)[K - 1] + 1) / SPACE)))


def key_of(text: str) -> str:
    return text if len(text) <= MAX_KEY else f"{text[:40]}...{blake2b(text.encode(), digest_size=8).hexdigest()}"


def hashed(key: str) -> int:
    return int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), "big")
