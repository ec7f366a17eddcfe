from trainer_cli.profile.distinct import MAX_KEY, Distinct


def counted(texts, limit, step=1000):
    distinct = Distinct(limit)
    for start in range(0, len(texts), step):
        distinct.add(dict.fromkeys(texts[start : start + step], 1))
    return distinct


def test_few_texts_are_counted_exactly():
    distinct = counted([str(i % 300) for i in range(5000)], limit=300)
    assert (distinct.n, distinct.is_exact) == (300, True)
    assert distinct.counts == {str(i): 5 for i in range(300)}


def test_many_texts_are_estimated_within_a_tenth():
    distinct = counted([f"text {i}" for i in range(200_000)], limit=1000)
    assert not distinct.is_exact
    assert abs(distinct.n - 200_000) < 20_000  # three standard errors are 9.4 %
    assert len(distinct.counts) == 1000


def test_repeated_texts_do_not_raise_an_estimate():
    texts = [f"text {i}" for i in range(20_000)]
    once = counted(texts, limit=1000).n
    assert counted(texts * 3, limit=1000).n == once
    # A count of rows, which is what an estimate that forgot would come to, is three times as high.
    assert abs(once - 20_000) < 2_000


def test_little_over_the_limit_is_still_counted_to_the_one():
    distinct = counted([str(i) for i in range(301)], limit=300)
    assert (distinct.n, distinct.is_exact) == (301, False)


def test_long_texts_that_begin_alike_are_told_apart_and_take_little_room():
    distinct = Distinct()
    distinct.add({"a" * 10_000 + str(i): 1 for i in range(50)})
    assert distinct.n == 50
    assert max(map(len, distinct.counts)) <= MAX_KEY
