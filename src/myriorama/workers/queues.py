"""The queues that commands wait in, and the topics that tell what comes of them."""

from domain.generation.shapes import WORK_CLASSES
from myriorama.store.progress import PROGRESS_TOPIC
from myriorama.workers.dead_letters import DEAD_LETTERS_TOPIC

PARTITIONS = 8
"""Of each queue; as many workers can take from it at once."""

COMMAND_TOPICS = {name: f"generation.commands.{name}" for name in WORK_CLASSES}
TOPICS = {
    **dict.fromkeys(COMMAND_TOPICS.values(), PARTITIONS),
    PROGRESS_TOPIC: 1,
    DEAD_LETTERS_TOPIC: 1,
}
GROUP = "generation-renderers"
"""Another name than that of releases whose members shared partitions out eagerly: both in one group
would understand nothing of one another."""
