"""Earlier predictors of motion from one image, which chapters 03 and 04 compare with: Walker's network, Pintea's
forest, the nearest neighbour.
"""
