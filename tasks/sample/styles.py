"""The styles of music in the synthetic catalogue: tags, genre label and typical sound.

Artists and tracks vary around the typical values of their style (see `tasks.sample.sound`). The
sound is (energy, danceability, acousticness,
instrumentalness, valence), each from 0 to 1.
"""

from dataclasses import dataclass

Sound = tuple[float, float, float, float, float]


@dataclass(frozen=True)
class Style:
    """One style: its share of the artists and its typical content."""

    genre: str
    share: float
    year: int
    """Typical year."""
    tempo: int
    """Beats per minute."""
    sound: Sound
    tags: tuple[str, ...]
    """Most frequent first."""


def _style(genre: str, share: float, year: int, tempo: int, sound: Sound, tags: str) -> Style:
    return Style(genre, share, year, tempo, sound, tuple(tags.split()))


# Ordered by share: a small catalogue uses only the first ones.
STYLES: tuple[Style, ...] = (
    _style("Rock", 8.0, 2006, 124, (0.72, 0.50, 0.08, 0.08, 0.48),
           "indie indie_rock rock alternative guitar british"),
    _style("Rock", 6.5, 2000, 122, (0.80, 0.48, 0.04, 0.03, 0.42),
           "rock alternative alternative_rock grunge 90s american"),
    _style("Electronic", 5.0, 2009, 126, (0.75, 0.68, 0.05, 0.30, 0.50),
           "electronic electro dance house indie"),
    _style("Pop", 5.0, 2009, 118, (0.66, 0.66, 0.15, 0.01, 0.58),
           "pop female_vocalists dance rnb american"),
    _style("Rock", 4.0, 1976, 120, (0.66, 0.50, 0.18, 0.05, 0.62),
           "rock classic_rock hard_rock 70s oldies blues_rock"),
    _style("Metal", 3.6, 2005, 130, (0.95, 0.30, 0.01, 0.25, 0.22),
           "death_metal metal melodic_death_metal swedish"),
    _style("Pop", 3.4, 2008, 112, (0.35, 0.54, 0.68, 0.02, 0.40),
           "singer_songwriter acoustic folk mellow indie female_vocalists"),
    _style("Rap", 3.4, 2004, 96, (0.68, 0.76, 0.12, 0.01, 0.55),
           "hip_hop rap american"),
    _style("Electronic", 3.2, 2004, 92, (0.42, 0.62, 0.32, 0.50, 0.35),
           "trip_hop downtempo chillout electronic female_vocalists lounge"),
    _style("Punk", 3.2, 2000, 158, (0.92, 0.46, 0.02, 0.02, 0.60),
           "punk punk_rock rock pop_punk american"),
    _style("Metal", 3.0, 2008, 136, (0.95, 0.40, 0.01, 0.04, 0.28),
           "metalcore hardcore metal post_hardcore screamo"),
    _style("Electronic", 2.9, 2004, 104, (0.25, 0.32, 0.70, 0.86, 0.14),
           "ambient electronic instrumental experimental chillout"),
    _style("Folk", 2.6, 2009, 114, (0.34, 0.46, 0.76, 0.10, 0.38),
           "folk acoustic singer_songwriter beautiful indie"),
    _style("Metal", 2.5, 1995, 134, (0.92, 0.38, 0.01, 0.08, 0.36),
           "heavy_metal metal hard_rock 80s"),
    _style("Pop", 2.5, 2008, 122, (0.62, 0.62, 0.22, 0.05, 0.58),
           "indie_pop indie pop female_vocalists swedish"),
    _style("Rock", 2.4, 2006, 134, (0.88, 0.44, 0.03, 0.02, 0.42),
           "emo post_hardcore alternative rock screamo pop_punk"),
    _style("Rock", 2.3, 2007, 118, (0.52, 0.32, 0.30, 0.80, 0.18),
           "post_rock instrumental ambient experimental beautiful"),
    _style("Rock", 2.2, 1984, 126, (0.66, 0.60, 0.10, 0.08, 0.60),
           "new_wave post_punk 80s pop synthpop british"),
    _style("Jazz", 2.2, 1998, 112, (0.36, 0.54, 0.72, 0.40, 0.46),
           "jazz piano instrumental female_vocalists lounge"),
    _style("Rock", 2.0, 1997, 122, (0.74, 0.46, 0.08, 0.04, 0.46),
           "britpop british rock alternative 90s indie"),
    _style("Metal", 2.0, 2004, 126, (0.90, 0.34, 0.03, 0.16, 0.28),
           "progressive_metal metal progressive_rock"),
    _style("RnB", 1.9, 1990, 106, (0.56, 0.68, 0.26, 0.03, 0.66),
           "soul rnb funk 70s male_vocalists"),
    _style("Electronic", 1.9, 2003, 122, (0.58, 0.60, 0.16, 0.74, 0.32),
           "idm electronic experimental ambient"),
    _style("Metal", 1.8, 2002, 132, (0.94, 0.26, 0.01, 0.36, 0.18),
           "black_metal metal doom_metal ambient"),
    _style("Rock", 1.8, 1972, 118, (0.56, 0.42, 0.26, 0.26, 0.44),
           "progressive_rock psychedelic rock 70s classic_rock instrumental"),
    _style("Rock", 1.7, 1969, 120, (0.58, 0.48, 0.32, 0.12, 0.58),
           "psychedelic psychedelic_rock 60s rock oldies"),
    _style("Electronic", 1.7, 2007, 128, (0.82, 0.72, 0.03, 0.62, 0.40),
           "techno electronic trance dance"),
    _style("Metal", 1.6, 1999, 138, (0.94, 0.38, 0.01, 0.12, 0.34),
           "thrash_metal metal heavy_metal 80s hardcore"),
    _style("Reggae", 1.5, 1994, 116, (0.58, 0.74, 0.20, 0.05, 0.72),
           "reggae chill world ska"),
    _style("Country", 1.5, 1999, 120, (0.56, 0.56, 0.42, 0.02, 0.56),
           "country singer_songwriter folk american male_vocalists"),
    _style("Rock", 1.4, 2003, 124, (0.80, 0.44, 0.05, 0.05, 0.32),
           "gothic gothic_metal female_vocalists"),
    _style("Electronic", 1.4, 2008, 122, (0.74, 0.62, 0.04, 0.14, 0.54),
           "synthpop electronic new_wave electro 80s"),
    _style("Blues", 1.3, 1988, 116, (0.52, 0.52, 0.46, 0.06, 0.56),
           "blues blues_rock guitar classic_rock rock oldies"),
    _style("Electronic", 1.3, 2001, 124, (0.84, 0.54, 0.03, 0.36, 0.32),
           "industrial electronic experimental german"),
    _style("Punk", 1.2, 1999, 148, (0.84, 0.56, 0.05, 0.04, 0.70),
           "ska punk reggae punk_rock"),
    _style("Metal", 1.2, 2003, 128, (0.96, 0.28, 0.01, 0.32, 0.20),
           "grindcore death_metal metal hardcore experimental"),
    _style("Pop", 1.1, 2004, 120, (0.74, 0.56, 0.10, 0.01, 0.56),
           "pop_rock pop rock alternative_rock love 00s"),
    _style("New Age", 1.1, 2004, 104, (0.22, 0.28, 0.80, 0.82, 0.16),
           "soundtrack piano instrumental classical new_age beautiful"),
    _style("Electronic", 1.0, 2009, 150, (0.84, 0.56, 0.04, 0.50, 0.38),
           "drum_and_bass dubstep electronic british"),
    _style("World", 1.0, 2003, 116, (0.54, 0.60, 0.38, 0.04, 0.58),
           "french pop female_vocalists world"),
    _style("Metal", 0.9, 2004, 104, (0.80, 0.28, 0.04, 0.44, 0.22),
           "doom_metal metal psychedelic"),
    _style("World", 0.9, 2007, 128, (0.80, 0.52, 0.08, 0.06, 0.54),
           "japanese j_pop j_rock female_vocalists rock"),
    _style("Latin", 0.8, 2002, 114, (0.64, 0.68, 0.34, 0.04, 0.70),
           "latin world spanish dance"),
)  # fmt: skip

_ANYWHERE = (
    "chill mellow beautiful love guitar piano acoustic instrumental cover 00s 90s 80s "
    "male_vocalists female_vocalists american british german swedish russian polish avant_garde "
    "experimental lounge live"
)
MOODS = tuple(_ANYWHERE.split())
"""Tags that any style may have; each niche draws a few of them."""

TAGS = tuple(sorted({tag for style in STYLES for tag in style.tags} | set(MOODS)))
