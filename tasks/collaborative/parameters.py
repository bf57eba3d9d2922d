"""What decides the collaborative neighbour tables."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Model = Literal["learned", "cosine", "asymmetric_cosine", "rp3beta", "bm25"]
Exponent = Annotated[float, Field(ge=0.0, le=1.0)]


class CollaborativeParameters(BaseModel):
    """The model and its dials. Those of other models than the chosen one have no effect."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: Model = "learned"
    """`learned` solves for its weights; the others are formulas on shared listeners."""

    neighbours: int = Field(default=100, ge=1, le=2_000)
    """m: sources per target track. More help on small dense catalogues (MovieLens: 400) and cost
    table size and, for `learned`, time (m² to gather, m³ to solve)."""

    similar: int = Field(default=50, ge=1, le=1_000)
    """Neighbours a track lists in the track-to-track similarity, before it is made symmetric."""

    ridge: float = Field(default=30.0, gt=0.0, le=1e6)
    """λ in listeners, the constant part of Λ = λ + popularity_ridge · G_ii. Larger trusts rarely
    shared listeners less. EASE (Steck 2019)."""

    popularity_ridge: float = Field(default=0.5, ge=0.0, le=10.0)
    """The share of a source's own Gram entry added to Λ, so that popular sources do not explain
    everything: the dropout diagonal of EDLAE (Steck 2020)."""

    non_negative: bool = True
    """Allow only positive evidence, as SLIM does (Ning & Karypis 2011). Helps on sparse histories,
    where negative weights are noise; dense ones (MovieLens) want signed weights."""

    user_exponent: Exponent = 0.5
    """A listener's row counts n_u^-exponent: long histories say less about each pair in them."""

    target_exponent: Exponent = 0.1
    """`learned`: weights are multiplied by n_target^-exponent: above 0 lifts less known tracks."""

    source_exponent: Exponent = 0.0
    """`learned`: weights are multiplied by n_source^-exponent: above 0 a popular track in the
    history says less."""

    two_step: float = Field(default=0.0, ge=0.0, le=4.0)
    """Share of the squared weight matrix added to it: tracks related through a third one. Helps
    where tracks have few listeners; costs a larger table."""

    two_step_neighbours: int = Field(default=300, ge=1, le=2_000)
    """Sources per target kept after the second step, the largest by absolute value."""

    asymmetry: Exponent = 0.5
    """`asymmetric_cosine`: α of |i ∩ j| / (n_source^α · n_target^(1-α)); 0.5 is cosine, above it
    known targets gain (Aiolli 2013)."""

    walk_exponent: Annotated[float, Field(ge=0.0, le=2.0)] = 0.8
    """`rp3beta`: α, the exponent of every step's probability (Cooper et al. 2014)."""

    walk_popularity: Exponent = 0.4
    """`rp3beta`: β, the exponent of the target's popularity it is divided by (Paudel et al.
    2017)."""

    saturation: float = Field(default=1.2, ge=0.0, le=1_000.0)
    """`bm25`: k, how fast a track's length dampens its terms (Robertson & Walker 1994)."""

    length_share: float = Field(default=0.75, ge=0.0, le=1.0)
    """`bm25`: b, how much a track's number of listeners counts as its length."""
