"""tile-report: print what the compiler knows about a program or a question, as a table.

    tile-report legality accesses.csv
    tile-report legality - < accesses.csv

An error is one line, `file:line: error: message`, and the exit status is then 1.
"""

import argparse
import csv
import sys
from collections.abc import Sequence
from typing import NoReturn

from tilec.analysis.alignment import refusal
from tilec.analysis.alignment.rows import FIELDS, parse_access
from tilec.diagnostics import TileError, run_tool
from tilec.parsing import read_text, source_name

TOOL = "tile-report"


class Arguments(argparse.ArgumentParser):
    """The command line. What is wrong with it is an error like any other."""

    def error(self, message: str) -> NoReturn:
        raise TileError(message, TOOL)


def arguments() -> Arguments:
    """The command line and its subcommands."""
    parser = Arguments(TOOL, description="Print what the compiler knows, as a table.", allow_abbrev=False)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    legality = commands.add_parser(
        "legality",
        help="which accesses the TPU compiler takes",
        description=f"Read accesses as CSV with the columns {', '.join(FIELDS)}; add legal and reason.",
        allow_abbrev=False,
    )
    legality.add_argument("file", help="the accesses; - for standard input")
    legality.set_defaults(run=report_legality)
    return parser


def report_legality(file: str) -> int:
    """Print the rows of a CSV file with `legal`, 1 or 0, and the reason of a refusal.

    Raises TileError for columns other than `FIELDS` and for a row that is no access, with its line.
    """
    place = source_name(file)
    rows = csv.reader(read_text(file).splitlines())
    header: Sequence[str] = next(rows, ())
    if tuple(header) != FIELDS:
        raise TileError(f"the columns are {','.join(header) or 'none'}; {','.join(FIELDS)} are needed", place)
    answers = [[*row, *answer(row, f"{place}:{rows.line_num}")] for row in rows]
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow([*FIELDS, "legal", "reason"])
    writer.writerows(answers)
    return 0


def answer(row: Sequence[str], place: str) -> tuple[str, str]:
    """Whether the access of a row is legal, and why not."""
    try:
        found = refusal(parse_access(row))
    except ValueError as error:
        raise TileError(str(error), place) from error
    return ("1", "") if found is None else ("0", str(found))


def main() -> int:
    def body() -> int:
        options = arguments().parse_args(sys.argv[1:])
        return options.run(options.file)

    return run_tool(TOOL, body)


if __name__ == "__main__":
    sys.exit(main())
