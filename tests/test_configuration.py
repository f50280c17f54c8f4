"""The strict configuration behind a notebook's `parameters` cell."""

from typing import Literal

import pytest
from pydantic import Field, ValidationError, model_validator

from stillact_lib.configuration import Configuration, configure
from stillact_lib.errors import StillactError


class Example(Configuration):
    profile: Literal["mini", "gpu", "paper"]
    learning_rate: float = Field(gt=0)
    epochs: int = Field(ge=1)
    use_flips: bool

    @model_validator(mode="after")
    def _paper_is_long(self):
        if self.profile == "paper" and self.epochs < 10:
            raise ValueError("the paper profile needs epochs >= 10")
        return self


RIGHT = {"profile": "mini", "learning_rate": 1e-3, "epochs": 2, "use_flips": True}


def message(**changes) -> str:
    with pytest.raises(StillactError) as caught:
        configure(Example, {**RIGHT, **changes})
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_reads_a_notebook_namespace():
    namespace = {**RIGHT, "np": pytest, "In": [""], "Out": {}, "_": 3, "__name__": "__main__", "draw": lambda: 0}
    settings = configure(Example, namespace)
    assert settings.model_dump() == RIGHT


def test_unknown_name_stops_with_the_nearest():
    assert message(lerning_rate=0.1) == "parameter 'lerning_rate' is unknown to Example; did you mean 'learning_rate'?"


def test_unknown_name_without_a_near_one_lists_all():
    assert "known: profile, learning_rate, epochs, use_flips" in message(zzz=1)


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        ({"profile": "big"}, ["'profile' = 'big'", "'mini', 'gpu' or 'paper'"]),
        ({"epochs": 0}, ["'epochs' = 0", "greater than or equal to 1"]),
        ({"epochs": 2.0}, ["'epochs' = 2.0 (float)", "integer"]),
        ({"epochs": True}, ["'epochs' = True (bool)"]),
        ({"use_flips": 1}, ["'use_flips' = 1 (int)"]),
        ({"learning_rate": "1e-4"}, ["'learning_rate' = '1e-4' (str)", "1.0e-4"]),
        ({"learning_rate": [1.0]}, ["'learning_rate' = [1.0] (list)"]),
        ({"profile": "paper"}, ["the paper profile needs epochs >= 10"]),
    ],
)
def test_impossible_values_are_named_with_what_is_allowed(change, parts):
    text = message(**change)
    assert all(part in text for part in parts), text


def test_missing_name_is_named():
    with pytest.raises(StillactError, match="'epochs' of Example is missing"):
        configure(Example, {name: value for name, value in RIGHT.items() if name != "epochs"})


def test_an_integer_serves_as_a_float():
    assert configure(Example, {**RIGHT, "learning_rate": 1}).learning_rate == 1.0


def test_settings_do_not_change():
    with pytest.raises(ValidationError):
        configure(Example, RIGHT).epochs = 3
