"""The creators of the demo world: what each makes, sentence by sentence, and who lends a cameo.

Each sentence is rendered once. The others of the demo world publish the same clips under the same
sentence, or under another wording of it that says nothing but what the clip shows.
"""

from collections.abc import Sequence

from myriorama.workers.seed import Inhabitant

CREATORS: Sequence[Inhabitant] = (
    Inhabitant(
        "brook",
        "Brook",
        "What goes on in the woods.",
        (
            "a fox runs through the forest in the rain",
            "a deer walks through the forest at sunset",
            "an owl sleeps in the forest at night",
            "a hedgehog rolls through the forest",
        ),
    ),
    Inhabitant(
        "tide",
        "Tide",
        "Salt water.",
        (
            "a whale swims in the ocean",
            "a crab dances on the beach at sunset",
            "a dolphin jumps in the sea",
            "an octopus spins in the ocean",
        ),
    ),
    Inhabitant(
        "orbit",
        "Orbit",
        "Far out.",
        (
            "an astronaut floats in space",
            "a rocket launches into space",
            "an alien dances in space",
            "a satellite spins in space",
        ),
    ),
    Inhabitant(
        "asphalt",
        "Asphalt",
        "Wheels, mostly.",
        (
            "a taxi drives through the city at night",
            "a bicycle rolls through the city in the rain",
            "a bus drives through the city at sunset",
            "a scooter races along the road",
        ),
    ),
    Inhabitant(
        "oven",
        "The Oven",
        "Food that moves.",
        (
            "a pizza spins in the kitchen",
            "three doughnuts bounce in the kitchen",
            "a banana dances on a stage",
            "a hamburger grows in the kitchen",
        ),
    ),
    Inhabitant(
        "encore",
        "Encore",
        "Instruments without hands.",
        (
            "a guitar sways on a stage",
            "a violin dances on a stage at night",
            "a trumpet jumps on a stage",
            "a saxophone spins on a stage",
        ),
    ),
    Inhabitant(
        "pitch",
        "Pitch",
        "Balls and boards.",
        (
            "a basketball bounces through the city",
            "a baseball flies over a meadow",
            "a skateboard rolls down the street at sunset",
            "a kite flies over the beach",
        ),
    ),
    Inhabitant(
        "petal",
        "Petal",
        "Slow and green.",
        (
            "a sunflower grows on a meadow",
            "a tulip sways on a meadow in the rain",
            "a cactus dances in the desert",
            "a mushroom grows in the forest at night",
        ),
    ),
    Inhabitant(
        "pingo",
        "Pingo",
        "A penguin with plans. Cast me.",
        (
            "a penguin waddles through the snow",
            "a snowman dances in the snow at night",
            "a wolf runs through the snow at sunset",
            "a seal rolls over the ice",
        ),
        casts=("@pingo dances on the beach", "@pingo drives through the city at night"),
    ),
    Inhabitant(
        "fable",
        "Fable",
        "Creatures nobody has met.",
        (
            "a dragon flies through the sky at sunset",
            "a unicorn jumps on a meadow",
            "a ghost floats through the forest at night",
            "a dinosaur walks through the desert",
        ),
    ),
    Inhabitant(
        "barn",
        "Barn",
        "News from the farm.",
        (
            "a cow walks on a meadow",
            "a pig rolls over the farm in the rain",
            "a rooster runs through the garden",
            "a horse gallops across a field at sunset",
        ),
    ),
    Inhabitant(
        "gizmo",
        "Gizmo",
        "Made of tin. Cast me.",
        (
            "a robot dances on a stage",
            "a robot sleeps in the bedroom at night",
            "a computer spins in a room",
            "a balloon floats in the sky",
        ),
        casts=("@gizmo flies through space", "@gizmo swims in the sea"),
    ),
)

WORDINGS = (
    "{}",
    "{}, in bright colours",
    "{}, in flat colours",
    "{}, picture book style",
    "{}, animated simply",
    "{}, like a sticker",
)
"""Ways to say the same of a clip: all are drawn like this."""
