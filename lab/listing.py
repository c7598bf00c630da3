"""Tells in lab/README.md which episodes are declared; `python -m lab readme` writes it, a test compares it."""

from pathlib import Path

from lab.episodes import all_episodes
from lab.episodes.episode import Episode

README = Path(__file__).parent / "README.md"
BEGIN, END = "<!-- episodes: written by `python -m lab readme` -->\n", "<!-- end of episodes -->\n"


def table() -> str:
    """One line for each declaration: its name, what is really done, its family and the truth."""
    rows = [_row(episode) for _, episode in sorted(all_episodes().items())]
    return "\n".join(["| episode | what is really done | family | truth |", "|---|---|---|---|", *rows, ""])


def _row(episode: Episode) -> str:
    done = (episode.play.__doc__ or episode.title).strip().splitlines()[0].rstrip(".").replace("|", "/")
    return f"| {episode.name} | {done} | {episode.family} | {episode.cause or 'none in the catalogue'} |"


def told(readme: str) -> str:
    """The text with today's table in its place."""
    before, _, rest = readme.partition(BEGIN)
    return f"{before}{BEGIN}{table()}{END}{rest.partition(END)[2]}"


def write() -> None:
    """Brings the file in step."""
    README.write_text(told(README.read_text()))
