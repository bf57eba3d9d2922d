"""What a run learns, in order: a model to measure, its blend, and the model that is published.

The measured model has not seen the held-out listeners. γ is chosen with a third one, which has not
seen the plays of the tracks that are hidden for it either. Where the data have times, a fourth one
has seen nothing that was played after a cut. All have the same parameters.
"""

from dataclasses import dataclass, field
from pathlib import Path

from distributed import Client
from prefect.futures import PrefectFuture

from flows import steps
from flows.lines import log_moved
from flows.settings import Settings
from tasks.blend.neighbours import Neighbours
from tasks.blend.parameters import HybridParameters
from tasks.choice.stage import chosen_parameters
from tasks.collaborative.parameters import AUTO, CollaborativeParameters
from tasks.dataset.spec import DatasetSpec
from tasks.evaluation.hiding import HiddenWorld
from tasks.evaluation.in_time import moved_parameters
from tasks.evaluation.past import has_questions
from tasks.evaluation.refit import needs_refit
from tasks.evaluation.stage import learned_parameters
from tasks.lake.dataset import Dataset
from tasks.lake.record import StageResult
from warehouse.releases.home import Home

REFIT, HIDDEN, PAST = "_refit", "_hidden", "_past"
"""Endings of the names of what is learned beside the measured model."""


@dataclass(frozen=True)
class Learned:
    """What a run has learned from one ingested dataset."""

    measured: Neighbours
    """Learned without the held-out listeners."""
    published: Neighbours
    """The same, or learned once more from all listeners."""
    held_out: Dataset | None
    evaluation: StageResult | None
    hybrid: HybridParameters | None
    """The blend to publish; None where nobody was held out."""
    kept: StageResult | None
    """The measured model and its blend, as the release keeps them in the lake."""
    temporal: StageResult | None
    """What models of the past were worth for what came after it, where the data have times."""
    stages: dict[str, StageResult]
    """Everything that was computed for it, by name."""
    collaborative: CollaborativeParameters
    """The parameters of the collaborative model, those that the run chose among them."""

    @property
    def choice(self) -> StageResult | None:
        """What the run chose; None: the settings name a model."""
        return self.stages.get("choice")

    @property
    def unseen(self) -> Dataset | None:
        """The listeners that the published model has not seen."""
        return self.held_out if self.published == self.measured else None


@dataclass(frozen=True)
class _Learning:
    lake: Path
    client: Client
    spec: DatasetSpec
    settings: Settings
    collaborative: CollaborativeParameters
    stages: dict[str, StageResult] = field(default_factory=dict)

    def started(
        self, ingested: StageResult, held_out: Dataset | None, ending: str = ""
    ) -> "_Pending":
        """Start to learn both tables side by side from what ``ingested`` holds."""
        by_plays, by_content = f"collaborative{ending}", f"content{ending}"
        shared = (self.lake, self.client, ingested, held_out)
        return _Pending(
            self,
            {
                by_plays: steps.collaborative.with_options(name=by_plays).submit(
                    *shared, self.collaborative, by_plays
                ),
                by_content: steps.content.with_options(name=by_content).submit(
                    *shared, self.spec, self.settings.content, by_content
                ),
            },
        )


@dataclass(frozen=True)
class _Pending:
    learning: _Learning
    futures: dict[str, PrefectFuture[StageResult]]

    def result(self) -> Neighbours:
        """Wait for both tables."""
        found = {name: future.result() for name, future in self.futures.items()}
        self.learning.stages.update(found)
        return Neighbours(*found.values())


def learn(
    home: Home,
    client: Client,
    spec: DatasetSpec,
    settings: Settings,
    ingested: StageResult,
    choose_again: bool = False,
) -> Learned:
    """Learn without the held-out listeners, measure, and learn from all where that pays."""
    lake, collaborative = home.lake, settings.collaborative
    parameters = settings.evaluation
    held_out = steps.holdout(home, spec.name, ingested, parameters)
    stages = {}
    if collaborative.model == AUTO:
        stages["choice"] = steps.choice(
            home, client, spec.name, ingested, held_out, collaborative, settings.tune, choose_again
        )
        collaborative = chosen_parameters(stages["choice"], collaborative)
    learning = _Learning(lake, client, spec, settings, collaborative, stages)
    measured = published = learning.started(ingested, held_out).result()
    if held_out is None:
        nothing = (None, None, None, None, None)
        return Learned(measured, measured, *nothing, learning.stages, collaborative)
    hiding = steps.hiding(lake, ingested, parameters)
    pending = None if hiding is None else learning.started(hiding, held_out, HIDDEN)
    everybody = needs_refit(held_out, ingested["users"], parameters)
    refit = learning.started(ingested, None, REFIT) if everybody else None
    past = steps.past(lake, ingested, held_out, parameters)
    of_past = _started_past(learning, past)
    world = None
    if hiding is not None and pending is not None:
        learning.stages["hiding"] = hiding
        world = HiddenWorld(hiding, *pending.result())
    evaluation = steps.evaluation(
        lake, client, ingested, held_out, measured, settings.hybrid, parameters, world
    )
    learning.stages["evaluation"] = evaluation
    kept = steps.measured(lake, ingested, held_out, measured, evaluation, settings.hybrid)
    if refit is not None:
        published = refit.result()
    temporal = None if of_past is None else of_past.measured(settings)
    hybrid = learned_parameters(evaluation, settings.hybrid)
    if temporal is not None:
        by_random, hybrid = hybrid, moved_parameters(temporal, hybrid)
        log_moved(by_random.segments, hybrid.segments)
    return Learned(
        measured, published, held_out, evaluation, hybrid, kept, temporal, learning.stages,
        collaborative,
    )  # fmt: skip


@dataclass(frozen=True)
class _PastPending:
    """The models of the past, being learned."""

    past: StageResult
    pending: _Pending

    def measured(self, settings: Settings) -> StageResult:
        """Choose their blend as a run of that day would have, and measure them on what followed."""
        learning, past = self.pending.learning, self.past
        neighbours, name = self.pending.result(), f"evaluation{PAST}"
        shared = (learning.lake, learning.client)
        evaluation = steps.evaluation.with_options(name=name)(
            *shared, past, past["held_out"], neighbours, settings.hybrid,
            settings.evaluation.of_the_past(), name=name,
        )  # fmt: skip
        temporal = steps.temporal(
            *shared, past, neighbours, evaluation, settings.hybrid, settings.evaluation
        )
        learning.stages.update({name: evaluation, "temporal": temporal})
        return temporal


def _started_past(learning: _Learning, past: StageResult | None) -> _PastPending | None:
    """Start to learn from the past, where there is one to ask about the future."""
    if past is None:
        return None
    learning.stages["past"] = past
    if not has_questions(past):
        return None
    return _PastPending(past, learning.started(past, past["held_out"], PAST))
