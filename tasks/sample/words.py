"""Words for the names of synthetic artists and songs; no name is meant to exist."""


def _words(text: str, separator: str | None = None) -> tuple[str, ...]:
    return tuple(text.split(separator))


ADJECTIVES = _words(
    "Amber Ashen Borrowed Brittle Candid Clockwork Copper Crooked Distant Drowsy Electric Faded "
    "Feral Foreign Frosted Gentle Gilded Hollow Humble Idle Ivory Jagged Lonesome Lucid Lunar "
    "Midsummer Muted Nameless Northern Opal Painted Paper Patient Quiet Restless Rusted Salted "
    "Secondhand Shallow Silent Sleepless Slow Solar Southern Spare Stolen Sunken Tender Tidal "
    "Timid Twisted Unspoken Velour Vivid Wandering Weathered Western Wicker Wilder Woven"
)
NOUNS = _words(
    "Acrobat Almanac Antenna Archway Atlas Balcony Ballroom Beacon Bicycle Boulevard Bramble "
    "Canary Carousel Cartographer Causeway Chandelier Cinder Cipher Clover Compass Coral Corridor "
    "Daydream Dial Domino Driftwood Ember Escalator Falcon Ferry Fountain Foxglove Garden Glacier "
    "Harbour Heron Horizon Hourglass Island Ivy Jubilee Kestrel Keyhole Kite Lantern Lighthouse "
    "Locket Magnolia Marble Meadow Meridian Metronome Mirror Monsoon Motel Nightjar Oracle Orchard "
    "Paradox Parlour Pavilion Pendulum Pilot Postcard Quarry Radio Railway Ribbon River Rooftop "
    "Saffron Satellite Season Shoreline Signal Skyline Sparrow Staircase Stranger Summer Sundial "
    "Telegram Thicket Tunnel Typewriter Valley Vessel Village Voyager Waltz Window Winter"
)
DARK_NOUNS = _words(
    "Abyss Altar Anvil Ash Bane Blight Carrion Catacomb Chasm Coffin Crypt Curse Dirge Dread Dusk "
    "Eclipse Exile Famine Fang Furnace Gallows Ghoul Grave Grudge Hammer Hatred Hearse Hex Hunger "
    "Iron Lament Malice Maw Misery Mourning Nadir Omen Ossuary Pyre Plague Ruin Scourge Serpent "
    "Shroud Sorrow Spite Thorn Tomb Torment Umbra Vault Venom Void Vulture Warden Wrath"
)
DARK_ENDINGS = _words("fall born gate hollow reign throne weaver spire mark veil")
FIRST_NAMES = _words(
    "Ada Alma Amélie Anders André Anouk Astrid Basil Beatriz Bruno Camille Carmen Cecilia Clara "
    "Dalia Dante Delphine Desmond Edith Elias Elodie Emeka Esther Fatou Felix Fergus Freya Gaëlle "
    "Gideon Greta Hanna Hector Hugo Ida Imani Ines Isidore Ivo Jasper Johanna Jonas José Josefine "
    "Kofi Lars Leona Lidia Linus Lorenzo Lucía Mabel Magnus Malik Marguerite Matilda Mirela Nadia "
    "Naomi Nils Noé Odette Olga Oscar Otis Pascal Petra Priya Ramona René Rosalind Rufus Selma "
    "Silas Sofía Stellan Tamsin Theo Ulla Vera Viktor Wendell Yara Zora"
)
LAST_NAMES = _words(
    "Abernathy Acheson Adeyemi Ågren Albrecht Almeida Ambrose Arquette Ashdown Balogun Barclay "
    "Beaumont Bergström Birch Blackwood Bélanger Calloway Castellano Cavendish Corrigan Cárdenas "
    "Dabrowski Delacroix Desrosiers Donnelly Drummond Eklund Ellery Fairbanks Faulkner Fontaine "
    "Forsyth Galloway Garland Greenaway Grünwald Gutiérrez Haddock Halvorsen Hargrove Hensley "
    "Holloway Ibáñez Ingram Jarvis Kessler Kowalczyk Köhler Lachance Lindqvist Lockwood Lombardi "
    "Marchetti Mbeki Merriweather Montague Moreau Müller Nakagawa Novotný Nyström Okafor Ormond "
    "Osterman Pemberton Quintero Radcliffe Renaud Rosendahl Rutledge Santoro Schäfer Sinclair "
    "Sjöberg Stanhope Thackeray Thibault Underhill Valdés Vandermeer Wainwright Whitlock Winslow "
    "Yamada Zielinski"
)
PLACES = _words(
    "Aberdeen Arcadia Avignon Bergen Brighton Cádiz Calgary Dakota Dresden Dunedin Gdansk Genoa "
    "Göteborg Halifax Havana Kyoto Lagos Leith Lisbon Lucerne Málaga Marfa Montréal Nantes Odessa "
    "Oslo Oxford Porto Quito Reno Riga Salem Savannah Seville Tacoma Tallinn Toledo Turin Utrecht "
    "Verona Zürich"
)
ENSEMBLES = _words("Orchestra Trio Quartet Collective Ensemble Choir Project Society")
KANA_FIRST = _words("ミドリ アオイ ヒカル サクラ カゼノ ユメ ツキ ハナ コトリ ネコ ホシ ナツ")
KANA_LAST = _words("の森 のうた の庭 レコード ノオト ソーダ の窓 トレイン カフェ パレード")

VERBS = _words(
    "Answer Balance Believe Breathe Burn Carry Chase Climb Dance Disappear Dream Drift Drive Fade "
    "Fall Follow Forget Glow Hold Keep Leave Linger Listen Move Remember Return Ride Run Shiver "
    "Sing Stay Surrender Swim Turn Vanish Wait Wake Walk Wander Whisper"
)
OBJECTS = _words(
    "the Afternoon,the Answer,a Better Day,the Border,Your Brother,the City,the Coast,Daylight,"
    "My Darling,the Distance,Every Morning,the Fire,Gravity,Home,the Last Train,the Light,Love,"
    "Me,the Moon,My Name,Nobody,the Ocean,Paradise,the Rain,Sleep,Someone,Sunday,the Sun,Tomorrow,"
    "the Water,the Weekend,the World,You,Yourself",
    ",",
)
