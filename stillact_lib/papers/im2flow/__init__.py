"""Im2Flow: Gao, Xiong and Grauman, "Im2Flow: motion hallucination from static images for action recognition" (CVPR
2018). Chapter 04, `chapters/04-im2flow.ipynb`.

The method, in the paper's order::

    flow          §3.2         the losses and the recipe of the flow network (`networks.im2flow_unet`)
    recognition   §3.3, §4.2   what the two streams start from, and what they may be shown
    streams       §3.3, §4     two streams, trained apart, fused with a chosen weight

Its encoding (§3.1) is `vision.flow_encoding`, its rivals are `papers.motion_baselines`. How the book tests it::

    settings   needs   data (videos)   stills   arms (the rows of Tables 2 to 4)   figures   recognition_figures
"""
