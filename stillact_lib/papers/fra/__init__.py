"""FRA, Face Related Actions: Rosenfeld and Ullman, "Hand-object interaction and precise localization in
transitive action recognition" (CRV 2016). Chapter 01, `chapters/01-action-objects.ipynb`.

The method, in the paper's order::

    segmentation   §3.1, §4.1   the coarse and the fine FCN-8s, and how they are trained
    localising     §3.1, §3.2   from an image to ranked candidates: windows, both networks, regions, context, regression
    faces          §3.3         one face an image
    classifiers    §3.3, §4     fc6 features, SVMs, the rows of Tables 1 to 3

How the book tests it::

    settings   data   run (needs, all arms, what a record keeps)   sizes (precision by object size)   figures
    watching   what curves show of a network in training
    controls   where else to look, in what other order; how well networks mark
    pooling    a network that learns how to pool a region's surroundings
    further    both of them, measured as FRA's own way is
    premise    does a closer look help, on genuine video
"""
