"""What is compiled is compiled once, elsewhere, and given up when it is of no use any more."""

from pathlib import Path
from threading import Thread

from myriorama.bootstrap.compiling import Compiling


def test_what_was_compiled_is_not_compiled_again(tmp_path: Path) -> None:
    (tmp_path / "compiled").touch()
    compiling = Compiling(tmp_path)

    compiling.begin()
    compiling.wait()

    assert not (tmp_path / "compiling").exists()


def test_who_waits_for_it_goes_on_when_it_is_given_up(tmp_path: Path) -> None:
    compiling = Compiling(tmp_path / "loops")
    compiling.begin()
    waiting = Thread(target=compiling.wait)
    waiting.start()

    compiling.close()

    waiting.join(60)
    assert not waiting.is_alive()
    assert not (tmp_path / "loops" / "compiled").exists()


def test_elsewhere_than_in_the_main_thread_nobody_waits_for_anything(tmp_path: Path) -> None:
    compiling = Compiling(tmp_path)

    def begin_and_wait() -> None:
        compiling.begin()
        compiling.wait()

    thread = Thread(target=begin_and_wait)
    thread.start()
    thread.join(60)

    assert not thread.is_alive()
    assert not (tmp_path / "compiling").exists()
