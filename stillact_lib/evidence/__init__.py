"""From a run's scores to a sentence that is decided.

records      what a run leaves: its scores and how it was made      published, claims   a paper's tables; its sentences
bootstrap    an estimate and its interval                           estimates           from records to estimates
verdicts     one sentence, one verdict                              kept                which runs speak of which world
ledger       what a chapter's cell asks                             tables, wording     its answers as HTML, in words
gains        what one arm gains on another, class by class
"""
