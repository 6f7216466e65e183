"""Write files and folders by verbs, in a folder that holds a table of promoters, `rows.txt`."""

from pathlib import Path

from dream_bert.cli.main import main

ROWS = "".join(f"{'ACGT' * 5}{'ACGT'[i % 4] * (i // 4 + 1)}\t{i % 17}.5\n" for i in range(40))

PREPARE = ["prepare", "rows.txt", "--stage", "regression", "--validation", "2", "--test", "2", "-o"]


def simulate(output: str | Path) -> int:
    return main(["simulate", "-n", "3", "-o", str(output)])


def others(folder: Path) -> list[str]:
    """The names in a folder, but for that of the table."""
    return sorted(path.name for path in folder.iterdir() if path.name != "rows.txt")
