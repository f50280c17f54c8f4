"""Déjà vu: motion prediction in static images (Pintea, van Gemert and Smeulders, ECCV 2014), a baseline of chapter 04.

A random forest looks at the gradients of a patch around an edge point and answers with a patch of flow; overlapping
answers are averaged. As in the authors' released defaults: patches of 32x32 at Canny points, ten trees, each grown
worst leaf first to 1,000 leaves; 20 random tests a node; a leaf answers with the mean of its flow patches and the
forest with the mean of its trees. Built on scikit-learn instead of their C++, which changes three things:

- features are HOG descriptors of the colour patch; theirs are gradient channels whose pixels are compared in pairs;
- a split minimises the variance of the flow patches' leading principal components; theirs the difference of means;
- leaf patches lie in the space of those components.

Images are RGB uint8 [N,H,W,3]; flows (u, v) in pixels a frame, u to the right, v down: [N,H,W,2].
"""

from __future__ import annotations

import cv2
import numpy as np
from sklearn.decomposition import PCA
from sklearn.ensemble import ExtraTreesRegressor

from stillact_lib.errors import StillactError
from stillact_lib.evaluation.flow_metrics import canny_pixels


class PinteaForest:
    """Structured regression of flow patches at Canny points; `fit` on frames and their flow, `predict` on stills.

    `patch` is the side of image and flow patches: a multiple of 4, 32 in the paper, 16 for images of 64 px.
    `training_patches` bounds the number of points learnt from, spread evenly over the images and drawn at random.
    """

    def __init__(
        self,
        patch: int = 32,
        trees: int = 10,
        leaves: int = 1000,
        components: int = 32,
        training_patches: int = 20_000,
        seed: int = 0,
        n_jobs: int = 2,
    ) -> None:
        if patch < 8 or patch % 4:
            raise StillactError(
                f"PinteaForest: patch = {patch} must be a multiple of 4 and at least 8 (HOG has 4x4 cells)"
            )
        self.patch = patch
        self.training_patches = training_patches
        self.seed = seed
        self.hog = patch_hog(patch)
        self.pca = PCA(components, svd_solver="covariance_eigh")
        self.forest = ExtraTreesRegressor(
            n_estimators=trees,
            max_leaf_nodes=leaves,  # scikit-learn then grows best-first: the split that helps most is made next
            max_features=20,  # one random threshold on each of 20 random features: their 20 tests a node
            random_state=seed,
            n_jobs=n_jobs,
        )

    def fit(self, images: np.ndarray, flows: np.ndarray) -> PinteaForest:
        """Learns from images uint8 [N,H,W,3] and flows [N,H,W,2]; raises StillactError where they have no edges."""
        rng = np.random.default_rng(self.seed)
        quota = -(-self.training_patches // len(images))
        descriptors, patches = [], []
        for image, flow in zip(images, flows, strict=True):
            points = canny_points(image)
            points = points[rng.permutation(len(points))[:quota]]
            descriptors.append(self.describe(image, points))
            # the patch of each point, as (u or v, row, column)
            windows = np.lib.stride_tricks.sliding_window_view(
                self._bordered(flow), (self.patch, self.patch), axis=(0, 1)
            )
            patches.append(windows[points[:, 1], points[:, 0]].reshape(len(points), 2 * self.patch**2))
        targets = np.concatenate(patches)
        if len(targets) < 2:
            raise StillactError(
                f"PinteaForest.fit: {len(targets)} Canny points in {len(images)} training images, 2 are needed; "
                "are the images blank?"
            )
        self.pca.set_params(n_components=min(self.pca.n_components, *targets.shape))
        self.forest.fit(np.concatenate(descriptors), self.pca.fit_transform(targets))
        return self

    def predict(self, images: np.ndarray) -> np.ndarray:
        """Flow float32 [N,H,W,2] of images uint8 [N,H,W,3]; zero where no patch around a Canny point reaches."""
        batches = [images[i : i + 256] for i in range(0, len(images), 256)]  # bounds the descriptors held at a time
        return np.concatenate([self._predict_batch(batch) for batch in batches])

    def _predict_batch(self, images: np.ndarray) -> np.ndarray:
        points = [canny_points(image) for image in images]
        descriptors = np.concatenate([self.describe(image, at) for image, at in zip(images, points, strict=True)])
        if not len(descriptors):
            return np.zeros((*images.shape[:3], 2), np.float32)
        coefficients = self.forest.predict(descriptors).astype(np.float32)  # one call: each costs tens of ms
        of_image = np.split(coefficients, np.cumsum([len(at) for at in points])[:-1])
        return np.stack([self._overlay(*answer, images.shape[1:3]) for answer in zip(points, of_image, strict=True)])

    def _overlay(self, points: np.ndarray, coefficients: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """Mean of the overlapping flow patches around points (x, y) of one image: -> [H,W,2]."""
        height, width = size
        total = np.zeros((height + self.patch, width + self.patch, 2), np.float32)
        covered = np.zeros((height + self.patch, width + self.patch, 1), np.float32)
        if len(points):
            answers = self.pca.inverse_transform(coefficients).reshape(-1, 2, self.patch, self.patch)
            for (x, y), answer in zip(points, answers.transpose(0, 2, 3, 1), strict=True):
                total[y : y + self.patch, x : x + self.patch] += answer
                covered[y : y + self.patch, x : x + self.patch] += 1
        inside = np.s_[self.patch // 2 : self.patch // 2 + height, self.patch // 2 : self.patch // 2 + width]
        return total[inside] / np.maximum(covered[inside], 1)

    def describe(self, image: np.ndarray, points: np.ndarray) -> np.ndarray:
        """HOG descriptors [P,324] of the patches around points (x, y) [P,2] of an image [H,W,3]."""
        if not len(points):
            return np.empty((0, self.hog.getDescriptorSize()), np.float32)
        corners = [(int(x), int(y)) for x, y in points]  # the border shifts a centred patch's corner onto its point
        return self.hog.compute(self._bordered(image), (1, 1), (0, 0), corners).reshape(len(points), -1)

    def _bordered(self, picture: np.ndarray) -> np.ndarray:
        """The picture with half a patch of repeated edge pixels around it, so that every point has a whole patch."""
        half = self.patch // 2
        return np.pad(picture, ((half, half), (half, half), (0, 0)), mode="edge")


def patch_hog(patch: int) -> cv2.HOGDescriptor:
    """HOG of one patch: 4x4 cells of patch/4 px in 9 blocks of 2x2 that overlap by a cell, 9 unsigned bins.

    9 blocks * 4 cells * 9 bins = 324 values. On a colour image OpenCV takes each pixel's channel of largest gradient.
    """
    cell = patch // 4
    return cv2.HOGDescriptor((patch, patch), (2 * cell, 2 * cell), (cell, cell), (cell, cell), 9)


def canny_points(image: np.ndarray) -> np.ndarray:
    """Edge points (x, y) int64 [P,2] of an RGB uint8 image, row by row."""
    return np.argwhere(canny_pixels(image))[:, ::-1]
