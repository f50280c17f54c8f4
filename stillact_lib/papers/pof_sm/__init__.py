"""POF-SM, predicted optical flow and saliency map: Safaei and Foroosh, "Single image action recognition by predicting
space-time saliency" (arXiv 1705.04641, 2017). Chapter 03, `chapters/03-space-time-saliency.ipynb`.

The method, in the paper's order::

    flow_loss     Eqs. 1 to 3      the order statistic loss, and four readings of the printed equations
    flow          §III-A           the networks that predict flow from one image
    flow_scoring  §III-A           how well they do: the readings compared, curves
    predictors    §III-A           such a network in use: how it is decoded, and whose stills it may map
    domain        §III-A           three channels: flow u and v, thresholded saliency
    inputs        §III-A           what a network is shown: these, each channel alone, and the controls' pictures
    recognition   §III-B, §IV      ImageNet's start, the training regimes, fixed features

Saliency itself is `vision.self_resemblance`. How the book tests it::

    settings   needs   data   arms (the rows of Tables I to III)   figures
"""
