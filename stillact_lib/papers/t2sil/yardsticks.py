"""What a run of chapter 05 holds its transfers against, none of which is a transfer: the real second stream, second
networks of the same stills, all frames of a video, the oracle (Herath, Fernando, Harandi, Pattern Recognition 2019,
§5.2, §5.5), distances of domains, and how good the parts are that transfers learn from.

Arms: "still_again" and "two_stills", a second network of the same stills (mid-frames), and both; "oracle_dynamic" and
"oracle_still"; on mid-frames also "temporal_dynamic" and "two_streams_dynamic", the real second stream, and both, and
"frames" and "frame_and_frames", a network of all frames, averaged over those of the video, and both.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from stillact_lib.evaluation.domain_distance import FOLDS, proxy_a_distance
from stillact_lib.notebook.run_data import grouped
from stillact_lib.papers.t2sil.arms import AGAIN, MIDDLE, TemporalTransfer
from stillact_lib.papers.t2sil.experiment import Experiment, Parts, fused
from stillact_lib.papers.t2sil.judged import MODALITIES, STILL, Answer
from stillact_lib.papers.t2sil.oracle import oracle_draws
from stillact_lib.papers.t2sil.transfers import class_table, confusion
from stillact_lib.training.inference import predict

#: "oracle_still": what its partners see
PHOTOGRAPH = "still"


def two_streams(run: TemporalTransfer, modality: str) -> None:
    """The paper's yardstick (§5.2): enters, beside the network for mid-frames of the test videos, what the temporal
    network says of the same videos, and the mean of both."""
    _beside_the_frame(run, *run.unseen(modality).of_items(), f"temporal_{modality}", f"two_streams_{modality}")


def all_frames(run: TemporalTransfer) -> None:
    """What `two_streams` is held against, as a temporal network learns from several instances of a video, and its
    answers are their mean: trains a network on as evenly spaced frames of the same videos, for as many steps, and
    enters the mean of its answers to a video's frames, and the mean of that and of the network for mid-frames."""
    videos = run.data.videos
    run.learn("frames", videos.every_frame(videos.of("train")), videos.every_frame(run.watched()))
    found = run.keep("frames", videos.every_frame(videos.of("test"))).of_items()
    _beside_the_frame(run, *found, "frames", "frame_and_frames")


def _beside_the_frame(run: TemporalTransfer, softmax: np.ndarray, labels: np.ndarray, alone: str, both: str) -> None:
    test = run.tests[run.sets.middles]
    assert np.array_equal(labels, test.labels), "both are in the order of the table"
    test.answer(alone, softmax)
    test.answer(both, fused(softmax, test.answers[STILL].softmax))


def second_network(run: TemporalTransfer, parts: Parts) -> None:
    """What every fused gain is held against, as two networks together are nearly always better than one: trains a
    second network on the same stills, which its seed alone tells from the first, and enters its answers, and the mean
    of both."""
    first = STILL if parts is run.of_stills else MIDDLE
    name = f"{first}_again"
    watched = parts.tested_images.get(parts.val)
    run.learn(name, parts.images, run.data.videos.middles(run.watched()) if watched is None else watched)
    for dataset, shown in parts.tested_images.items():
        softmax = run.keep(name, shown).softmax
        run.tests[dataset].answer("still_again", softmax)
        run.tests[dataset].answer("two_stills", fused(softmax, parts.tested[dataset].softmax))


def second_student(run: TemporalTransfer, experiment: Experiment, modality: str) -> None:
    """Trains the student of a modality once more, under the setting that was chosen, with other partners and batches:
    "tsn_dynamic_again", what two students differ by that are taught the same."""
    again = experiment.settings.model_copy(update={"seed": experiment.settings.seed + AGAIN})
    found = replace(experiment, settings=again).derive("tsn", modality, run.derived[f"tsn_{modality}"].setting)
    for dataset, softmax in found.softmax.items():
        run.tests[dataset].answer(f"tsn_{modality}_again", softmax)


def oracle(run: TemporalTransfer, parts: Parts, modality: str) -> None:
    """Table 4: enters how often the oracle is right, the mean over its draws, and keeps their standard deviation. Its
    partners are instances of test videos or, as it is told the class whatever these show, for `PHOTOGRAPH` other test
    stills of the class, named by the network for stills itself."""
    videos = run.data.videos
    taught, of_videos = frozenset(videos.of("train").tolist()), grouped(videos.table)
    for dataset, stills in parts.tested.items():
        test, groups = run.tests[dataset], None
        own = np.arange(len(stills.labels)) if test.groups is None else test.groups
        if modality == PHOTOGRAPH:
            partners, taught, groups = stills, frozenset(), (own, own)
        else:
            partners = run.unseen(modality)
            if dataset in (run.sets.middles, run.sets.middles_by_stills):
                groups = of_videos[videos.of("test")], of_videos[partners.item]
        draws = oracle_draws(stills, partners, run.settings.oracle_draws, run.settings.seed, taught, groups)
        test.answers[f"oracle_{modality}"] = Answer(100.0 * draws.mean(0), None)
        run.figures[f"{dataset}/oracle_{modality}/sd"] = float(100 * draws.mean(1).std())


def teachers(run: TemporalTransfer) -> pd.DataFrame:
    """How good what transfers learn from is, a row a temporal network: how many test videos it names rightly, and how
    many by what is reduced of it (the GAN's and the triplets' teacher), in %; and what the table of its mean answers
    holds beside the classes themselves (`confusion`), at the student's temperature, of the videos that taught it and of
    the test videos, which did not. Also kept for the record."""
    rows = {}
    for modality in MODALITIES:
        unseen, taught = run.unseen(modality), run.temporal[modality]
        softmax, labels = unseen.of_items()
        row = {"right, all features": 100 * float((softmax.argmax(1) == labels).mean())}
        for (teacher, width), network in run.reductions.items():
            if teacher == modality:
                scores = predict(network, unseen.features, replace(run.device, autocast=None))
                softmax, labels = replace(unseen, scores=scores).of_items()
                row[f"right, {width} features"] = 100 * float((softmax.argmax(1) == labels).mean())
        temperature = run.derived[f"tsn_{modality}"].setting.temperature
        for whose, found in {"taught": taught, "unseen": unseen}.items():
            table = class_table(found.scores, found.labels, len(run.data.classes), temperature)
            row |= dict(zip((f"off the diagonal, {whose}", f"bits, {whose}"), confusion(table), strict=True))
        rows[modality] = row
        run.figures |= {
            f"{run.sets.test}/teacher_{modality}/{name.replace(', ', '_').replace(' ', '_')}": value
            for name, value in row.items()
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def distances(run: TemporalTransfer, parts: Parts) -> dict[str, float]:
    """Proxy A-distances between features of test images in the network for stills: stills' halves, two sources, stills
    and mid-frames; also kept for the record."""
    of_stills = parts.tested[run.sets.test].features.numpy()
    middles = run.data.videos.middles(run.data.videos.of("test"))
    source = run.data.stills["source"].to_numpy()[run.stills("test")]
    shuffled = np.random.default_rng(run.settings.seed).permutation(of_stills)
    pairs = {
        "stills, two random halves": (shuffled[::2], shuffled[1::2]),
        "Stanford 40 and imSitu": (of_stills[source == "stanford40"], of_stills[source == "imsitu"]),
    }
    if not run.of_midframes:
        pairs["stills and mid-frames"] = of_stills, run.keep(STILL, middles).features.numpy()
    found = {name: proxy_a_distance(*pair) for name, pair in pairs.items() if min(map(len, pair)) >= FOLDS}
    run.figures |= {f"{run.sets.test}/distance/{name.replace(' ', '_')}": value for name, value in found.items()}
    return found
