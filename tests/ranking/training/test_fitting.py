from functools import cache
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn")

from ranking.features import INDEX, VERSION
from ranking.heads import HEAD_INDEX
from ranking.training import fitting, report
from tests.ranking.training.invented import SMALL, exposures


@cache
def fitted_once() -> fitting.Fitted:
    return fitting.fit(exposures(), None, silent, until_ms=1, plan=SMALL)


def silent(_line: str) -> None:
    """Tell nobody."""


def test_a_model_learns_what_tells_long_watches_apart_and_says_how_well() -> None:
    fitted = fitted_once()

    assert fitted.trial.figures["auc"].value > 0.7
    assert fitted.trial.figures["watch_ece"].value < 0.1
    assert fitted.model.card.figures["auc"] == round(fitted.trial.figures["auc"].value, 4)


def test_a_head_too_rare_for_trees_is_the_smoothed_rate_as_often_as_it_happens() -> None:
    learnt = exposures()

    fitted = fitted_once()

    assert "follow" not in fitted.model.forests
    scale = fitted.model.card.scales[HEAD_INDEX["follow"]]
    assert scale.column == INDEX["video_acts_follows"]
    predicted = fitted.model.of_rows(learnt.features)[:, HEAD_INDEX["follow"]]
    happened = learnt.label("follow").mean()
    assert predicted.mean() == pytest.approx(happened, rel=0.2)


def test_what_never_happened_is_nearly_impossible_and_not_an_error() -> None:
    fitted = fitted_once()

    predicted = fitted.model.of_rows(exposures().features)[:, HEAD_INDEX["remix"]]

    assert (predicted < 0.001).all()


def test_the_same_examples_make_the_same_file() -> None:
    first = fitted_once()
    second = fitting.fit(exposures(), None, silent, until_ms=1, plan=SMALL)

    assert first.model.digest == second.model.digest


@pytest.mark.parametrize("count", [0, 5, 1000])
def test_too_little_is_refused_with_what_there_is_and_what_it_takes(count: int) -> None:
    with pytest.raises(fitting.TooLittle, match=f"There are {count:,} exposures"):
        fitting.fit(exposures(count), None, silent, until_ms=1, plan=SMALL)


def test_exposures_of_which_none_was_watched_are_too_little() -> None:
    idle = exposures()
    idle.labels[:] = False

    with pytest.raises(fitting.TooLittle, match="0 of them watched long"):
        fitting.fit(idle, None, silent, until_ms=1, plan=SMALL)


def test_a_training_leaves_its_model_digest_report_plots_and_card(tmp_path: Path) -> None:
    fitted = fitted_once()

    digest = report.write(fitted, tmp_path, report.OWN_LOG)

    assert (tmp_path / "digest.txt").read_text() == f"{digest}\n"
    assert (tmp_path / "model.npz").read_bytes() == fitted.model.encode()
    for plot in ("calibration.png", "importance.png", "learning-curve.png"):
        assert (tmp_path / plot).read_bytes().startswith(b"\x89PNG")
        assert plot in (tmp_path / "report.md").read_text()
    card = (tmp_path / "card.md").read_text()
    assert "follow" in card.split("Too rare")[1]
    assert "report" in card.split("nobody did")[1]
    for fact in (
        digest,
        report.OWN_LOG.licence,
        VERSION,
        "1970-01-01 00:00 UTC",
        "3,000 exposures",
    ):
        assert fact in card
    shares = report.importance(fitted.model, fitted.trial.examples)
    assert sum(shares.values()) == pytest.approx(1)
    assert "effect_all" in list(shares)[:2]


def test_the_last_slates_are_tried_on_and_no_slate_is_on_both_sides() -> None:
    learnt = exposures()

    trial = fitted_once().trial

    assert trial.examples.at_ms.min() > np.quantile(learnt.at_ms, 0.75)
    assert len(trial.examples) % 5 == 0
