"""T2SIL, temporal information for still images: Herath, Fernando and Harandi, "Using temporal information for
recognizing actions from still images" (Pattern Recognition 2019). Chapter 05, `chapters/05-temporal-transfer.ipynb`.

The method, in the paper's order::

    transfers    §3.1 to §3.3   a GAN, an embedding by triplets, a teacher and its student: perceptrons and losses
    key_frames   §4             frames of videos as further stills: x-means
    instances    §4.1           what networks are shown: photographs, frames, dynamic images, stacks of flow
    backbones    §5.1           the networks for these, and what is kept of them
    experiment   §5.1, §6       how each transfer is trained, tuned and fused
    alternatives                the controls, and what the paper tried and left
    oracle       §5.5           what could be gained at most

How the book tests it::

    settings   needs   data   genuine (UCF-101 and 100 Sports in the place of SSVAC-40)
    arms (one run)   yardsticks (what it is held against)   judged (what each arm said, what a record keeps)
    class_means (verdicts by the other measure)   figures
"""
