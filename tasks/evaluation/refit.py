"""Whether the published model is learned once more, from everybody, after it was measured.

Evaluation needs listeners that the model has never seen. On small data they are missed: with 400
listeners, 200 of them held out, half of the evidence. So the model is measured first, and where the
share held out is large, one with the same parameters, weights, prior and γ is learned from all
listeners and published. It has seen more than the measured one, so its quality is at least about
what was measured. On large data a hundredth more listeners changes nothing, and nothing is learned
twice.
"""

from tasks.evaluation.parameters import EvaluationParameters
from tasks.lake.dataset import Dataset


def needs_refit(held_out: Dataset, users: Dataset, parameters: EvaluationParameters) -> bool:
    """Tell whether more than ``refit_above`` of the listeners are held out."""
    return held_out.rows > parameters.refit_above * users.rows
