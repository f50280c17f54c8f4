"""LGA, loss guided activation: Liu, Tan and You, "Loss guided activation for action recognition in still images" (ACCV
2018). Chapter 02, `chapters/02-human-mask-loss.ipynb`.

The method, in the paper's order::

    human_mask_loss   Eqs. 1 and 2   the loss of the mask branch, and the maps SAM and PAM that show what it does

The networks it is laid upon are `networks.guided_activation` and `networks.guided_backbones`. How the book tests it::

    settings   data   arms (which network is taught what, with the controls)   run (what a record keeps)   figures
"""
