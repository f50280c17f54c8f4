"""Dense optical flow between frames, and the chapter-04 target: the mean of the next five flows.

Flow is float32 [H, W, 2]: (u, v) in pixels a frame, u to the right, v downwards, at the resolution of the frames.
Im2Flow's authors used C. Liu's "Beyond pixels" (their [53]); OpenCV's DIS is our default: 140 to 800 times faster at an
end-point difference to Liu of .3-2 px on real pairs (the bench measures its error on exactly known flow).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from functools import cache, reduce
from pickle import UnpicklingError

import cv2
import numpy as np

from stillact_lib.errors import StillactError

FLOW_METHODS = ("dis", "dis_fast", "farneback", "raft")


@cache
def _dis(preset: int) -> cv2.DISOpticalFlow:
    return cv2.DISOpticalFlow_create(preset)


@cache
def _raft(device: str):
    """torchvision's RAFT (small), for a GPU; weights through torchvision's own loader."""
    from torchvision.models.optical_flow import Raft_Small_Weights, raft_small

    weights = Raft_Small_Weights.DEFAULT
    try:
        return raft_small(weights=weights).eval().to(device)
    except (OSError, RuntimeError, UnpicklingError, EOFError) as error:
        raise StillactError(
            f"flow_method 'raft': its weights, {weights.url.rpartition('/')[2]}, are not whole in torchvision's cache "
            f"and cannot be downloaded ({type(error).__name__}); delete what is there and run once with a network, or "
            "choose 'dis'"
        ) from error


def _raft_flow(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"

    def prepared(image: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(image).to(device).permute(2, 0, 1)[None].float() / 127.5 - 1

    height, width = first.shape[:2]
    padding = (0, -width % 8, 0, -height % 8)  # RAFT's features have stride 8
    pair = [torch.nn.functional.pad(prepared(image), padding, mode="replicate") for image in (first, second)]
    with torch.inference_mode():
        flow = _raft(device)(*pair)[-1][0, :, :height, :width]
    return flow.permute(1, 2, 0).float().cpu().numpy()


def optical_flow(first: np.ndarray, second: np.ndarray, method: str = "dis") -> np.ndarray:
    """Flow from one RGB frame to the next: uint8 [H, W, 3] twice in, float32 [H, W, 2] in pixels out.

    `method`: "dis" (OpenCV DIS, medium preset), "dis_fast", "farneback" (DejaVu's settings .5, 5, 11, 100, 7, 1.3,
    Gaussian), or "raft" (torchvision RAFT-small; for a GPU).
    """
    if method == "raft":
        return _raft_flow(first, second)
    grey = [cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in (first, second)]
    if method == "farneback":
        return cv2.calcOpticalFlowFarneback(*grey, None, 0.5, 5, 11, 100, 7, 1.3, cv2.OPTFLOW_FARNEBACK_GAUSSIAN)
    if method not in FLOW_METHODS:
        raise StillactError(f"flow_method {method!r} is not known; choose one of {', '.join(FLOW_METHODS)}")
    preset = cv2.DISOPTICAL_FLOW_PRESET_MEDIUM if method == "dis" else cv2.DISOPTICAL_FLOW_PRESET_FAST
    return _dis(preset).calc(*grey, None)


def consecutive_flow(frames: Iterable[np.ndarray], method: str = "dis") -> Iterator[np.ndarray]:
    """Flow from every frame to the next: T frames in, T - 1 flows out, each computed once."""
    previous = None
    for frame in frames:
        if previous is not None:
            yield optical_flow(previous, frame, method)
        previous = frame


def sliding_mean(flows: Iterable[np.ndarray], window: int = 5) -> Iterator[np.ndarray]:
    """Mean of each `window` consecutive flows: N flows in, N - window + 1 means out (Im2Flow §3.2, five future frames).

    Only the newest flow is computed for each mean. The last `window` flows are kept and summed, rather than a running
    sum updated, so that the result is bit for bit that of computing all of them anew.
    """
    kept: deque[np.ndarray] = deque(maxlen=window)
    for flow in flows:
        kept.append(flow)
        if len(kept) == window:
            yield reduce(np.add, kept) / np.float32(window)  # no stack of five fields is copied together first


#: the camera's motion is fitted to the flow at every so many pixels; a point follows it that is this near, pixels
CAMERA_STEP, CAMERA_NEAR = 8, 0.5


def without_camera(flow: np.ndarray) -> np.ndarray:
    """Flow [H, W, 2] less the camera's own: the homography that most of the picture follows (RANSAC), as Walker, Gupta
    and Hebert (ICCV 2015, §4.1) stabilise theirs. Where less than half of it follows any, the flow stays as it is.
    """
    height, width = flow.shape[:2]
    rows, columns = np.mgrid[CAMERA_STEP // 2 : height : CAMERA_STEP, CAMERA_STEP // 2 : width : CAMERA_STEP]
    points = np.stack([columns.ravel(), rows.ravel()], axis=1).astype(np.float32)
    cv2.setRNGSeed(0)
    homography, follows = cv2.findHomography(
        points, points + flow[rows.ravel(), columns.ravel()], cv2.RANSAC, CAMERA_NEAR
    )
    if homography is None or follows.mean() < 0.5:
        return flow
    everywhere = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1).astype(np.float32)
    moved = cv2.perspectiveTransform(everywhere.reshape(1, -1, 2), homography).reshape(flow.shape)
    return flow - (moved - everywhere)


def resize_flow(flow: np.ndarray, height: int, width: int) -> np.ndarray:
    """Flow [H, W, 2] shrunk or enlarged to [height, width, 2], its vectors rescaled to the new pixels."""
    old_height, old_width = flow.shape[:2]
    shrinking = height * width < old_height * old_width
    resized = cv2.resize(flow, (width, height), interpolation=cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR)
    return resized * np.array([width / old_width, height / old_height], np.float32)
