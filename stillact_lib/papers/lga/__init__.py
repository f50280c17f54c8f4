"""LGA, loss guided activation: Liu, Tan and You, "Loss guided activation for action recognition in still images" (ACCV
2018). Chapter 02, `chapters/02-human-mask-loss.ipynb`, shows all of it, in this order::

    human_mask_loss   the loss (Eq. 1), and the maps SAM and PAM (Eq. 2), which show where a network is active
    settings          what a run may set
    regions           what lies where in a photograph, and the photograph with a region painted over
    failures          §4.3's causes of failure, acted on drawn photographs
    data              Stanford 40 and MPII with masks of people, real or drawn; and of sports
    arms              which networks are compared, what each is asked to find, how one is trained
    attribution       which pixels an answer hangs on
    measures          what a trained network is asked on test photographs
    run               one run: what it needs, every arm trained and tested, what its record keeps
    figures           the charts

The network is `networks.guided_activation`, on the backbones of `networks.guided_backbones`.
"""
