"""How far a search is, for people: a bar with the best so far and the time that is left."""

from collections.abc import Generator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from tilec.tuning.search import Budget, Outcome, Report


def described(outcome: Outcome) -> str:
    """The best so far in a few words."""
    ranking = outcome.ranking
    if not ranking:
        return "nothing yet"
    choice, estimate = ranking[0]
    return f"{1e6 * (estimate.seconds or 0.0):.1f} µs: {choice}"


@contextmanager
def shown(name: str, budget: Budget, console: Console) -> Generator[Report]:
    """A bar on the console while a search runs, if it is a terminal; the yielded function moves it."""
    if not console.is_terminal:
        yield lambda outcome: None
        return
    columns = (
        TextColumn(name),
        BarColumn(20),
        TextColumn("{task.completed} of at most {task.total}"),
        TimeElapsedColumn(),
        TextColumn(f"of {budget.seconds:g} s, best {{task.description}}"),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("nothing yet", total=budget.compiles)
        yield lambda outcome: bar.update(task, completed=outcome.compiles, description=described(outcome))
