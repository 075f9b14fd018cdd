"""The queues that commands wait in, and the topic that tells how far they are."""

from domain.generation.shapes import WORK_CLASSES
from myriorama.store.progress import PROGRESS_TOPIC

PARTITIONS = 8
"""Of each queue; as many workers can take from it at once."""

COMMAND_TOPICS = {name: f"generation.commands.{name}" for name in WORK_CLASSES}
TOPICS = {**dict.fromkeys(COMMAND_TOPICS.values(), PARTITIONS), PROGRESS_TOPIC: 1}
GROUP = "generation-workers"
