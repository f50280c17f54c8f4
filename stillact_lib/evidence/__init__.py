"""From a run's scores to a sentence that is decided: records, the papers' tables and claims, intervals,
verdicts, gains.
"""
