"""The table of declared episodes in lab/README.md: `python -m lab readme` writes it, a test compares it."""

from pathlib import Path

from lab.episode import Episode
from lab.episodes import all_episodes

README = Path(__file__).parent / "README.md"
BEGIN, END = "<!-- episodes: written by `python -m lab readme` -->\n", "<!-- end of episodes -->\n"


def table() -> str:
    """One line for each declaration: its name, what is really done, its family and the truth."""
    rows = [_episode_row(episode) for _, episode in sorted(all_episodes().items())]
    return "\n".join(["| episode | what is really done | family | truth |", "|---|---|---|---|", *rows, ""])


def _episode_row(episode: Episode) -> str:
    done = (episode.play.__doc__ or episode.title).strip().splitlines()[0].rstrip(".").replace("|", "/")
    truth = ", ".join(episode.accept) or episode.cause or "none in the catalogue"
    return f"| {episode.name} | {done} | {episode.family} | {truth} |"


def with_table(readme: str) -> str:
    """The text with the table between its marks replaced."""
    before, _, rest = readme.partition(BEGIN)
    return f"{before}{BEGIN}{table()}{END}{rest.partition(END)[2]}"


def write() -> None:
    """Write the current table to lab/README.md."""
    README.write_text(with_table(README.read_text()))
