"""Made-up prompts and captions of every kind, of which the prompt vectors learn what words mean."""

import re
from collections.abc import Iterator, Sequence
from random import Random


def _split(phrases: str) -> tuple[str, ...]:
    return tuple(phrase.strip() for phrase in re.split(r"[|\n]", phrases) if phrase.strip())


SUBJECTS = _split(
    """
    a cat|a kitten|a puppy|an old dog|a red fox|a wolf pack|a grizzly bear|a panda|a baby elephant
    a giraffe|a lion|a tiger cub|a zebra herd|a wild horse|a cow|a flock of sheep|a goat|a pig
    a rabbit|a hedgehog|a squirrel|a mouse|a raccoon|a koala|a kangaroo|a monkey|a gorilla
    an owl|an eagle|a parrot|a penguin|a duck family|a swan|a rooster|a hummingbird|a crow
    a whale|a dolphin|a shark|an octopus|a jellyfish|a sea turtle|a goldfish|a crab|coral
    a frog|a lizard|a snake|a dragon|a dinosaur|a unicorn|a butterfly|a bee swarm|ants|a spider
    a robot|an android|a spaceship|an astronaut|an alien|a rocket|a satellite|a time machine
    a knight|a samurai|a pirate crew|a wizard|a witch|a ghost|a vampire|a zombie|a mermaid|a giant
    a queen|a detective|a superhero|a ninja|a cowboy|a viking|a gladiator|a pharaoh|an archer
    a chef|a baker|a barista|a farmer|a fisherman|a carpenter|a potter|a blacksmith|a tailor
    a doctor|a nurse|a scientist|a teacher|a student|a librarian|a firefighter|a police officer
    a judge|a politician|a president giving a speech|voters|protesters|a journalist|a soldier
    a singer|a rock band|a jazz trio|a pianist|a drummer|a violinist|an orchestra|a DJ|a choir
    a ballet dancer|break dancers|a tango couple|a magician|a clown|a juggler|an acrobat|a comedian
    a surfer|a skateboarder|a skier|a snowboarder|a climber|a cyclist|a runner|a swimmer|a diver
    a football team|a basketball player|a tennis match|a boxer|a gymnast|a golfer|a goalkeeper
    a racing car|a motorcycle|a vintage car|a bus|a steam train|a tram|a bicycle|a sailing boat
    a cruise ship|a submarine|an aeroplane|a helicopter|a hot air balloon|a drone|a tractor
    a bride and groom|a grandmother|a grandfather|a newborn baby|twins|a toddler|two best friends
    a teenager|a mother|a father and son|a lonely man|an old woman|a crowd of people|a family
    a pizza|a burger|sushi|a birthday cake|a bowl of ramen|pancakes|an ice cream|fresh bread
    a cup of coffee|tea|chocolate|a fruit salad|strawberries|an avocado|spicy noodles|tacos|cheese
    a rose|sunflowers|a bonsai|a cactus|mushrooms|an oak tree|cherry blossoms|a pumpkin|seaweed
    a volcano|a waterfall|a thunderstorm|a tornado|the northern lights|a rainbow|a glacier|fireworks
    the moon|a galaxy|a black hole|planets|a comet|the sun|a meteor shower|a snowstorm|ocean waves
    a sculpture|an oil painting|graffiti|origami|a puppet|a toy train|a doll|lego bricks|a snowman
    a piano|an electric guitar|a violin|a typewriter|an old camera|a clock|a lamp|a mirror|a key
    a laptop|a smartphone|a circuit board|a computer virus|source code|a video game character
    a chess game|playing cards|a roller coaster|a carousel|a circus tent|a marching band
    sneakers|a wedding dress|a fashion model|a handbag|lipstick|jewellery|a hairdresser|a tattoo
    a skeleton|a pumpkin lantern|santa claus|an easter egg|a christmas tree|a lantern festival
    slime|soap cutting|kinetic sand|marble runs|dominoes|a paper plane|a soap bubble|a candle
    money|a stock chart|a startup founder|an office worker|a job interview|a meeting|a robot vacuum
    a plumber|a builder|a crane|a skyscraper|a tiny house|a treehouse|a lighthouse|a castle|a temple
    a yoga teacher|a weight lifter|a meditating monk|a nun|a priest|an angel|a god of thunder
    """
)

DOINGS = _split(
    """
    jumping over a puddle|running at full speed|dancing slowly|sleeping|eating|drinking|laughing
    crying|singing a lullaby|playing the guitar|painting a portrait|reading a newspaper|cooking soup
    baking cookies|washing dishes|cleaning the floor|building a sandcastle|climbing a wall|falling
    flying through clouds|swimming underwater|surfing a giant wave|riding a bicycle|driving at night
    skating backwards|lifting weights|stretching|fighting|hugging|kissing|waving goodbye|arguing
    telling a joke|giving a speech|counting money|opening a present|blowing out candles|gardening
    chasing a ball|hiding under a bed|hunting|growing|melting|exploding|spinning|floating in space
    shrinking|transforming into gold|turning to stone|glowing in the dark|catching fire|freezing
    drifting apart|walking in the rain|waiting for a train|missing the bus|getting lost|exploring
    solving a puzzle|writing a letter|typing code|taking a selfie|filming a vlog|playing chess
    shopping|trying on clothes|putting on make up|getting a haircut|brushing teeth|meditating
    arresting a thief|robbing a bank|saving a child|putting out a fire|performing surgery|teaching
    repairing an engine|welding|carving wood|knitting a scarf|folding paper|throwing a pot|sewing
    celebrating a victory|losing the final|scoring a goal|crossing the finish line|training hard
    launching into orbit|landing on mars|sinking|sailing into a storm|diving for treasure
    reviewing a gadget|explaining physics|speaking to camera|unboxing|tasting wine|juggling
    whispering|tapping on glass|slicing a vegetable|pouring honey|stirring paint|popping bubbles
    """
)

PLACES = _split(
    """
    on a beach|in the desert|in a rainforest|in a snowy forest|on a mountain top|by a lake|at sea
    under the ocean|in a cave|in a meadow|on a farm|in a vineyard|in a garden|in a swamp
    on an island|in Tokyo|in Paris|in New York|in London|in Venice|in Cairo|in Mumbai|in Rio
    in Lagos|in Berlin
    in a small village|in a busy market|on a rooftop|in a dark alley|in a subway station|on a bridge
    at an airport|in a hotel|in a kitchen|in a bedroom|in a bathroom|in a classroom|in a library
    in a museum|in a church|in a hospital|in an office|in a factory|in a laboratory|in a courtroom
    in parliament|in a prison|in a stadium|in a gym|on a basketball court|at a race track|in a pool
    in a nightclub|on a stage|at a concert|at a wedding|at a funeral|at a birthday party|in a cafe
    in a restaurant|in a supermarket|in a shopping mall|in a barber shop|at a carnival|in a circus
    in space|on the moon|on Mars|in a spaceship|in a medieval castle|in ancient Rome
    in ancient Egypt|in the wild west|in the future|in a haunted house|in a graveyard|in a dream
    in a video game
    in a doll house|inside a snow globe|inside a computer|on a tiny planet|in a bottle|in the 1980s
    """
)

STYLES = _split(
    """
    claymation|stop motion|anime|studio cartoon|pixel art|watercolour|oil painting|pencil sketch
    charcoal drawing|paper cut-out|puppet show|low poly 3D|photorealistic|cinematic|film noir
    black and white|sepia|vaporwave|cyberpunk|steampunk|solarpunk|art deco|impressionist|surreal
    documentary|found footage|security camera|VHS tape|home video|music video|news report|commercial
    movie trailer|silent film|slow motion|time lapse|hyperlapse|macro|drone shot|fisheye|one take
    tilt shift|infographic|tutorial|vlog|interview|podcast|sports broadcast|cooking show|talk show
    ASMR|lo-fi|comic book|manga|ukiyo-e|stained glass|mosaic|embroidery|felt|origami|neon|glitch
    horror|comedy|romance|thriller|fantasy|science fiction|western|musical|fairy tale|parody|satire
    """
)

MOODS = _split(
    """
    at dawn|at sunset|at night|at noon|golden hour|in heavy rain|in thick fog|under neon light
    by candlelight|in moonlight|in spring|in summer|in autumn|in winter|calm|joyful|sad|tense|eerie
    funny|cute|epic|dreamy|nostalgic|chaotic|cosy|romantic|lonely|mysterious|hopeful|angry|relaxing
    colourful|pastel|dark|minimal|vintage|gritty|elegant|magical|absurd|wholesome|scary|satisfying
    """
)

_FRAMES = (
    "{subject} {doing} {place}",
    "{subject} {doing} {place}, {style}",
    "{style} of {subject} {doing}",
    "{subject} {place}, {mood}, {style}",
    "{subject} and {other} {doing} {place}",
    "{subject} with {other}, {mood}",
    "a {style} video of {subject} {doing}, {mood}",
    "{mood}: {subject} {doing}",
    "close-up of {subject} {place}",
    "{subject} made of {other}",
    "when {subject} meets {other} {place}",
    "{subject}, {other}, {style}, {mood}",
    "{doing} {place} like {subject}",
    "{subject}",
    "{style}",
    "{doing}",
    "{subject}, {style}",
    "{subject} {doing}",
)
_WORD_FRAMES = (
    "{word}",
    "{word} {other_word}",
    "a video about {word}",
    "{word} and {other_word}",
    "{word} {place}",
    "{subject} with {word}",
    "{word} {doing}",
    "the {word} of {other_word}",
    "{subject} {doing}, {word}",
    "{word}, {style}, {mood}",
    "more {word}, less {other_word}",
    "#{word} {subject}",
    "how {word} became {other_word}",
    "the {word} {other_word} meets {subject} {place}",
    "{subject} and the {word}, {other_word}",
    "{word} near the {other_word}, {mood}",
    "a {word} with a {other_word}, {style}",
    "{style} of a {word}",
)
_WORD = re.compile(r"[a-z]{2,}")


def prompts(count: int, *, seed: int) -> list[str]:
    """Return so many prompts, of the lists above alone; the same ones for the same seed."""
    chance = Random(seed)  # noqa: S311 - nothing is to be kept from anyone
    return [chance.choice(_FRAMES).format(**_slots(chance)) for _ in range(count)]


def prompts_about(words: Sequence[str], times: int, *, seed: int) -> Iterator[str]:
    """Yield prompts that say each of the words, each so many times, beside others."""
    chance = Random(seed)  # noqa: S311 - nothing is to be kept from anyone
    for _ in range(times):
        for word in words:
            frame = chance.choice(_WORD_FRAMES)
            yield frame.format(word=word, other_word=chance.choice(words), **_slots(chance))


def words_of(vocabulary: Sequence[str]) -> list[str]:
    """Return what of a tokenizer's vocabulary are whole words, in its order."""
    return [token for token in vocabulary if _WORD.fullmatch(token)]


def _slots(chance: Random) -> dict[str, str]:
    return {
        "subject": chance.choice(SUBJECTS),
        "other": chance.choice(SUBJECTS),
        "doing": chance.choice(DOINGS),
        "place": chance.choice(PLACES),
        "style": chance.choice(STYLES),
        "mood": chance.choice(MOODS),
    }
