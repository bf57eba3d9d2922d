"""What decides the collaborative neighbour tables: the model, its parameters, the similarity."""

from typing import Annotated, Any, Self, TypeVar

from pydantic import AfterValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from tasks.collaborative.models.asymmetric_cosine import AsymmetricCosineParameters
from tasks.collaborative.models.base import ModelParameters
from tasks.collaborative.models.bm25 import BM25Parameters
from tasks.collaborative.models.learned import LearnedParameters
from tasks.collaborative.models.registry import model_named, model_names
from tasks.collaborative.models.rp3beta import RP3BetaParameters

P = TypeVar("P", bound=ModelParameters)

AUTO, CHOSEN = "auto", "learned"
"""The name under which a run chooses parameters itself, and the model whose they are."""


def _known(name: str) -> str:
    if name not in (names := (AUTO, *model_names())):
        raise PydanticCustomError(
            "unknown_model", "the known models are {names}", {"names": ", ".join(names)}
        )
    return name


ModelName = Annotated[str, AfterValidator(_known)]
"""The name of a registered model, or `AUTO`."""


class CollaborativeParameters(
    LearnedParameters, AsymmetricCosineParameters, RP3BetaParameters, BM25Parameters
):
    """The table ``[collaborative]``: the model, and parameters of any models, ours typed.

    Those of other models than the chosen one have no effect. A key that none of our models has
    must be a parameter of another registered model.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    model: ModelName = AUTO
    """`auto`: `learned`, with parameters that the run chooses for the data; those that are set
    here stay as they are. `learned` solves for its weights; the other models of ours are formulas
    on shared listeners."""

    similar: int = Field(default=50, ge=1, le=1_000)
    """Neighbours a track lists in the track-to-track similarity, before it is made symmetric."""

    @property
    def concrete(self) -> Self:
        """These parameters with the name of a model in place of `auto`."""
        return self.model_copy(update={"model": CHOSEN}) if self.model == AUTO else self

    @model_validator(mode="after")
    def _check_other_models(self) -> Self:
        """Hold keys that are no fields to the models that have them."""
        given = dict(self.model_extra or {})
        if not given:
            return self
        unknown = set(given)
        for name in model_names():
            fields = set(model_named(name).parameters.model_fields)
            unknown -= fields
            if fields & set(given):
                self.of(model_named(name).parameters)
        if unknown:
            problem = PydanticCustomError("unknown_parameter", "no model has this parameter")
            raise ValidationError.from_exception_data(
                "collaborative",
                [
                    InitErrorDetails(type=problem, loc=(key,), input=given[key])
                    for key in sorted(unknown)
                ],
            )
        return self

    def of(self, parameters: type[P]) -> P:
        """Return the parameters of one model."""
        values: dict[str, Any] = {**self.__dict__, **(self.model_extra or {})}
        fields = parameters.model_fields
        return parameters.model_validate({k: v for k, v in values.items() if k in fields})
