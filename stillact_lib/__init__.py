"""The library behind the still-action reproduction book: what its chapters import, and nothing else.

Data flows one way, and a floor imports only from the floors below it::

    papers       a package a paper: its method in the paper's order, then how the book tests it
    notebook     what a cell calls: figures, explorers, sources shown, where a run's data comes from
    evidence     records, published tables, intervals, verdicts: from a run's scores to a sentence that is decided
    training     one loop, pre-training             evaluation   the metrics
    networks     the architectures
    vision       what a frame or clip becomes: video decoding, optical flow, saliency, shards
    datasets     official layouts in, tables of samples out       miniature    writes those layouts
    manifests    what is known of each dataset      configuration   paths   errors
"""

__version__ = "0.1.0"
