"""Ids of the part-id map: one a colour of a part while they last; then colours that are nearly alike share one."""

from __future__ import annotations

import numpy as np
import pytest

from stillact_lib.miniature import clip_specs, render_clip
from stillact_lib.miniature.rendering import SHADOW, Part, Shape, draw_ids, pixel_parts, prepare

SQUARE = np.array([[0.0, 0.0], [4.0, 0.0], [4.0, 4.0], [0.0, 4.0]])


def part(colours: list[tuple[float, float, float]], left: float = 0.0) -> Part:
    """Unit squares one above the other, each in its colour; nearer the further right."""
    shapes = [Shape(SQUARE + np.array([0, 4 * row]), colour) for row, colour in enumerate(colours)]
    return Part(1, np.array([[[1.0, 0.0, left], [0.0, 1.0, 0.0]]]), np.array([left]), shapes)


def greys(count: int, step: float = 1.0) -> list[tuple[float, float, float]]:
    return [(step * n, step * n, step * n) for n in range(count)]


def used(drawing) -> np.ndarray:
    """The ids that shapes are drawn with."""
    return np.unique([number for polygons in drawing.polygons for _, number, _ in polygons])


def test_while_they_last_each_colour_of_a_part_has_an_id() -> None:
    parts = [part(greys(127)), part(greys(127), 9.0)]
    drawing = prepare(parts, 1)
    assert used(drawing).tolist() == list(range(1, SHADOW)), "254, none of them the shadow's"
    for number, polygons in enumerate(drawing.polygons):
        for shape, (_, i, _) in zip(parts[number].shapes, polygons, strict=True):
            assert tuple(drawing.palette[i]) == shape.colour and drawing.part_of_id[i] == number


@pytest.mark.parametrize(("parts", "colours"), [(5, 51), (40, 20), (254, 3)])
def test_past_them_near_colours_of_a_part_share_one(parts: int, colours: int) -> None:
    crowd = [part(greys(colours), 4.0 * n) for n in range(parts)]
    drawing = prepare(crowd, 1)
    assert len(used(drawing)) < SHADOW and SHADOW not in used(drawing)
    worst = 0
    for number, polygons in enumerate(drawing.polygons):
        for shape, (_, i, _) in zip(crowd[number].shapes, polygons, strict=True):
            assert drawing.part_of_id[i] == number, "never with another part's: masks and flow stay exact"
            worst = max(worst, int(np.abs(drawing.palette[i] - np.array(shape.colour)).max()))
    assert 0 < worst <= 15, "and no more than there is need for"


def test_whose_a_pixel_is_does_not_depend_on_the_crowd() -> None:
    def owners(colours: list[tuple[float, float, float]]) -> np.ndarray:
        drawing = prepare([part(colours, 4.0 * n) for n in range(6)], 1)
        canvas = np.zeros((200, 40), np.uint8)
        draw_ids(drawing, 0, canvas)
        return pixel_parts(canvas, drawing.part_of_id, 1)

    few, many = owners(greys(2) * 25), owners(greys(50))
    assert set(np.unique(few)) == {-1, *range(6)} and np.array_equal(few, many)


def test_more_parts_than_ids_are_refused() -> None:
    with pytest.raises(ValueError, match="at most 254 parts, not 255"):
        prepare([part(greys(1)) for _ in range(255)], 1)


def test_the_crowded_photograph_of_willow_is_drawn() -> None:
    """A rider before somebody who takes a photograph, and another action's things: 265 colours of 76 parts."""
    spec = clip_specs("willow_actions", 0, "mini")["willowactions/JPEGImages/000084.jpg"]
    clip = render_clip(spec, truth=True)
    assert clip.frames.shape == (1, 128, 128, 3) and clip.person_mask.mean() > 0.02
