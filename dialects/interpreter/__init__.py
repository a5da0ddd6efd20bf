"""The reference interpreter: what tile programs and their schedules mean, in numpy.

It is the judge of every pass: a program before a pass and after it must give the same results here. It runs
independent iterations in random order, picks block sizes at random, and keeps track of every undefined lane
and element, so that what depends on them is an error or shows in the results.
"""

# These register how operations run.
from . import accesses as accesses
from . import control as control
from . import elementwise as elementwise
from . import expectations as expectations
from . import lanewise as lanewise
from . import mixing as mixing
from . import updates as updates
from .arguments import random_args
from .errors import InterpreterError
from .runner import Result, functions, run

__all__ = ["InterpreterError", "Result", "functions", "random_args", "run"]
