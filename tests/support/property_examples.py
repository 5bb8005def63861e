"""How many examples a property gets: those of the profile, or a share of them where each costs much."""

from hypothesis import settings

EXAMPLES = {"quick": 8, "suite": 18, "thorough": 500}
"""`pytest --hypothesis-profile thorough` takes the largest number."""


def register_profiles() -> None:
    """Register the profiles and load the suite's; a busy machine breaks no deadline, because there is none."""
    for name, count in EXAMPLES.items():
        settings.register_profile(name, deadline=None, max_examples=count)
    settings.load_profile("suite")


def share_of_examples(share: float) -> int:
    """Count the examples of a costly property."""
    return max(4, round(settings().max_examples * share))
