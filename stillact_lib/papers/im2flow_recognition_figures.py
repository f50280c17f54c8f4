import matplotlib.pyplot as plt


def potential_extremes(*a, **k):
    return plt.figure()


changed_decisions = class_gains = gain_curves = decision_board = potential_extremes


def pick_changed(*a, **k):
    return [0], [1]
