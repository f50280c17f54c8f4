"""The library behind the still-action reproduction book: what its chapters import, and nothing else.

Data flows one way, and a floor imports only from the floors below it::

    papers       one module a paper: its losses, procedures and training recipe
    training     evaluation   records   figures        one loop, the metrics, the evidence, the pictures
    networks     the architectures
    vision       what a frame or clip becomes: video decoding, optical flow, encodings
    datasets     official layouts in, tables of samples out       miniature    writes those layouts
    manifests    what is known of each dataset
"""

__version__ = "0.1.0"
