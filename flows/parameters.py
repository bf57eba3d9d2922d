"""What flows are asked for in the Prefect UI: one type and one description for each parameter.

What is not given is taken from the environment, then from crossfade.toml (flows/settings.py).
"""

from typing import Annotated

from pydantic import Field

Tracks = Annotated[str | None, Field(description="CSV of the catalogue (Kaggle schema)")]
Plays = Annotated[str | None, Field(description="CSV of the history (Kaggle schema)")]
DatasetFile = Annotated[str | None, Field(description="TOML of any other dataset")]
Holdout = Annotated[float | None, Field(description="Share of listeners held out")]
DaskAddress = Annotated[str | None, Field(description="Address of a Dask scheduler")]
HomeFolder = Annotated[str | None, Field(description="Folder of lake and warehouse")]
Force = Annotated[bool, Field(description="Publish what the gate refuses or what was rolled back")]
ChooseAgain = Annotated[bool, Field(description="Choose the model's parameters again")]
TuneSeconds = Annotated[float | None, Field(description="What that choice may take")]
Reason = Annotated[str | None, Field(description="Why it is forced; the release keeps it")]
