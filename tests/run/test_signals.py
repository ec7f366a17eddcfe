import os
import signal

import pytest

from trainer_cli import signals
from trainer_cli.errors import Stopped
from trainer_cli.signals import StopFlag, stop_flag


@pytest.fixture(autouse=True)
def _signals_as_at_a_terminal():
    """Whoever runs the tests in the background may have a hangup ignored."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


def test_a_flag_does_nothing_until_a_signal_comes():
    flag = StopFlag()
    flag.check()
    assert list(flag.watch("abc")) == ["a", "b", "c"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)])
def test_a_signal_stops_the_work_at_its_next_question(number, code):
    with stop_flag() as flag:
        os.kill(os.getpid(), number)
        with pytest.raises(Stopped, match=f"stopped by {number.name}") as caught:
            flag.check()
    assert caught.value.exit_code == code


def test_watching_stops_before_the_next_item():
    flag = StopFlag()
    watched = flag.watch("abc")
    assert next(watched) == "a"
    flag(signal.SIGTERM, None)
    with pytest.raises(Stopped):
        next(watched)


def test_a_second_signal_ends_the_process_at_once(monkeypatch):
    codes = []
    monkeypatch.setattr(signals.os, "_exit", codes.append)
    flag = StopFlag()
    flag(signal.SIGINT, None)
    flag(signal.SIGTERM, None)
    assert codes == [143]


def test_handlers_from_before_come_back():
    before = [signal.getsignal(number) for number in signals.SIGNALS]
    with stop_flag() as flag:
        assert {signal.getsignal(number) for number in signals.SIGNALS} == {flag}
    assert [signal.getsignal(number) for number in signals.SIGNALS] == before


def test_only_a_hangup_that_is_ignored_stays_ignored():
    before = {number: signal.signal(number, signal.SIG_IGN) for number in signals.SIGNALS}
    try:
        with stop_flag() as flag:
            assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
            assert signal.getsignal(signal.SIGINT) is flag
            assert signal.getsignal(signal.SIGTERM) is flag
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
