"""tile-report: print what the compiler knows about a program or a question, as a table.

    tile-report examples/grouped_matmul.mlir --chip v5e,v6e --args "bf16[2048,512], offsets=lognormal:256"
    tile-report examples/softmax.py:softmax --args "f32[4096,1024]" --json
    tile-report examples/softmax.py:softmax --args "f32[4096,1024]" --html softmax.html
    tile-report legality accesses.csv
    tile-report legality - < accesses.csv

An error is one line, `file:line: error: message`, and the exit status is then 1.
"""

import argparse
import csv
import sys
from collections.abc import Sequence

from tilec.analysis.alignment import refusal
from tilec.analysis.alignment.rows import FIELDS, parse_access
from tilec.chips import CHIPS
from tilec.diagnostics import Arguments, TileError, run_tool
from tilec.parsing import read_text, source_name

TOOL = "tile-report"
ARGS = """\
--args is a list. 'bf16[2048,512]' is the next array; where the program knows its shape, it may be left out.
Loops hang on integers: 'NAME=FILE.npy' or 'NAME=FILE.json' gives them; 'offsets=lognormal:64' draws segments
of 64 rows on average, by one of the words equal, ramp, lognormal, zipf, and one (all rows in the first).
What is not given is as tile-run --random has it. Numbers are arguments of kernels in Python.

Without options the analytic model chooses for these arguments and each chip; a kernel in Python is reported
as it is called. The report has the choice as options, which may be given again. Options that are given are
taken as they are, and what they leave out is as that pass has it, but for sizes in a kernel's own Config.

Times are estimates: see "What a kernel costs" in the README.
"""


def kernel_arguments() -> Arguments:
    """The command line for a kernel."""
    parser = Arguments(
        TOOL,
        usage=f"{TOOL} [options] FILE.mlir | FILE.py:KERNEL\n       {TOOL} legality FILE.csv",
        description="Print what a kernel costs, estimated without a TPU, beside the least that it needs.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=ARGS,
        allow_abbrev=False,
    )
    parser.add_argument("kernel", help="a program, - for standard input, or a kernel of a Python file")
    parser.add_argument(
        "--chip", default="v5e", metavar="CHIP,…", help=f"of {', '.join(CHIPS)}; v5e if not given"
    )
    parser.add_argument("--args", default="", help="what arrays are like, see below")
    parser.add_argument(
        "--tile-to-pallas",
        default="",
        metavar="OPTIONS",
        help="of that pass, as for tile-opt; what the analytic model chooses if not given",
    )
    parser.add_argument("--json", action="store_true", help="data, a list with an entry for each chip")
    parser.add_argument(
        "--html", default="", metavar="PAGE.html", help="a file for a page that stands alone, besides"
    )
    return parser


def legality_arguments() -> Arguments:
    """The command line for legality."""
    parser = Arguments(
        f"{TOOL} legality",
        description=f"Read accesses as CSV with the columns {', '.join(FIELDS)}; add legal and reason.",
        allow_abbrev=False,
    )
    parser.add_argument("file", help="the accesses; - for standard input")
    return parser


def report_kernel(argv: Sequence[str]) -> int:
    """Print what a kernel costs. Raises TileError for what is wrong with the command line or the kernel."""
    options = kernel_arguments().parse_args(argv)
    chips = list(dict.fromkeys(word.strip() for word in options.chip.split(",")))
    unknown = [chip for chip in chips if chip not in CHIPS]
    if unknown:
        raise TileError(f"there is no chip '{unknown[0]}'; the chips are {', '.join(CHIPS)}", TOOL)
    from tilec.report.command import run

    return run(options.kernel, chips, options.args, options.tile_to_pallas, options.json, options.html)


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
        argv = sys.argv[1:]
        if argv[:1] == ["legality"]:
            return report_legality(legality_arguments().parse_args(argv[1:]).file)
        return report_kernel(argv)

    return run_tool(TOOL, body)


if __name__ == "__main__":
    sys.exit(main())
