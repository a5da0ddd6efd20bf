"""Which variables matter outside of a loop or an arm, over the statements of Python.

The comment behind each `for` and `if` gives the names of its region: `a` matters, `a?` and may be unbound,
`(a)` is restored between the arms.
"""

import ast
import re

import pytest

from tilec.frontend.regions import FunctionFacts
from tilec.frontend.scopes import FUNCTIONS

PROGRAMS = """
def read_by_a_test(a, c):
    if c:  # a
        a = 1
    if a:  #
        pass

def read_by_the_bounds_of_a_loop(a, c):
    if c:  # a
        a = range(2)
    for i in a:  #
        pass

def read_by_the_target_of_a_loop(a, c, x):
    if c:  # a
        a = 1
    for x[a] in range(2):  #
        pass

def read_by_while(a, c):
    if c:  # a
        a = 1
    while a:
        pass

def read_in_the_next_step(a, n):
    for i in range(n):  # a
        print(a)
        a = i

def read_at_the_bottom_of_an_outer_loop(a, b, n):
    for i in range(n):  # a b
        for j in range(n):  # a
            a = j
        b = a + b

def written_before_it_is_read(n):
    a = 0
    for i in range(n):  #
        a = i
        print(a)

def aliased(m, n):
    for i in range(n):  # m
        new = m + i
        m = new
    return m

def loop_variable_read_after(n):
    for i, (j, *k) in n:  # j? k?
        pass
    return j, k

def read_where_continue_leads(a, n):
    for i in range(n):  # a
        if a:  # a
            a = 2
        if i:  #
            continue
        a = 1

def read_after_return_no_more(a, c):
    if c:  #
        a = 1
    return
    print(a)

def read_by_return(a, c):
    if c:  # a
        a = 1
    return a

def read_by_raise(a, c):
    if c:  # a
        a = 1
    raise a

def read_by_a_handler(a, c):
    try:
        if c:  # a
            a = 1
        a = c()
    except ValueError:
        print(a)

def read_by_a_handler_after_an_arm_overwrites_it(a, c):
    try:
        if c:  # a
            a = 1
            a = c()
        a = 2
        c()
        a = 3
    except ValueError:
        print(a)
    a = 4

def read_by_the_type_of_a_handler(a, c):
    if c:  # a
        a = ValueError
    try:
        c()
    except a:
        pass

def bound_by_a_handler(a, c):
    if c:  #
        a = 1
    try:
        c()
    finally:
        a = 2
    return a

def deleted_by_a_handler(a, c):
    try:
        c()
    except ValueError as a:
        pass
    if c:  # a?
        a = 1
    return a

def handlers_kill_the_name_of_their_exception(a, c):
    try:
        if c:  #
            a = 1
    except ValueError as a:
        print(a)

def read_by_finally_after_return(a, c):
    try:
        if c:  # a
            a = 1
        return
    finally:
        print(a)

def read_after_finally_of_a_break(a, n):
    while n:
        try:
            if n():  # a
                a = 1
            break
        finally:
            n()
        a = 2
    return a

def read_by_else_of_try(a, c):
    try:
        if c:  # a
            a = 1
    except ValueError:
        a = 2
    else:
        print(a)

def read_after_with_swallows(a, c):
    with c:
        if c:  # a
            a = 1
        a = c()
    return a

def read_before_with_is_entered(a, c):
    if c:  # a
        a = 1
    with c:
        a = 2
    return a

def read_if_with_is_not_entered(a, c):
    if c:  # a
        a = 1
    with c, c as a:
        pass
    return a

def read_by_with(a, c):
    if c:  # a
        a = 1
    with a:
        pass

def read_by_a_case(a, c):
    if c:  # a
        a = 1
    match c:
        case 1 if a:
            pass

def read_in_a_case(a, c):
    if c:  # a
        a = 1
    match c:
        case 1:
            print(a)

def read_if_no_case_matches(a, c):
    if c:  # a
        a = 1
    match c:
        case 1:
            a = 2
    return a

def bound_by_a_case(c):
    if c:  # a? b? e? d?
        match c:
            case [a, *b]:
                pass
            case {1: d, **e}:
                pass
    return a, b, d, e

def augmented(a, c):
    if c:  # a
        a = 1
    a += 1

def assigned_in_an_expression(a, b, c):
    if c:  # a
        print(a := 1)
    if b:  # a
        print([a := i for i in c])
    return a

def bound_in_other_ways(c):
    if c:  # a? b? d? f? G? w?
        import a
        import b.inner
        from c import x as d
        def f(): pass
        class G: pass
        with c as w: pass
    return a, b, d, f, G, w

def annotated(a, c):
    if c:  # a b?
        a: int
        b: int = 1
    return a, b

def deleted(a, c):
    if c:  # a?
        del a
    return a

def deleted_and_bound_again(a, c):
    if c:  #
        a = 1
    del a

def bound_in_both_arms(c):
    if c:  # a?
        a = 1
    else:
        a = 2
    if c:  # a
        a = 3
    return a

def bound_in_one_arm(c):
    if c:  # a?
        a = 1
    if c:  # a?
        a = 3
    return a

def bound_in_the_arm_that_stays(c):
    if c:  # a?
        a = 1
    else:
        raise ValueError
    if c:  # a
        a = 3
    return a

def bound_in_a_loop(n):
    for i in range(n):  # a?
        a = 1
    if n:  # a?
        a = 2
    return a

def bound_unless_a_loop_breaks(n):
    for i in range(n):  # a?
        if i:  #
            break
        a = 1
    else:
        a = 2
    if n:  # a?
        a = 3
    return a

def bound_before_in_a_loop(n):
    for i in range(n):  #
        a = 1
        if n:  # a
            a = 2
        print(a)

def bound_by_a_loop(n):
    for a in range(n):  #
        if n:  # a
            a = 2
        print(a)

def bound_in_with(c):
    with c as b:
        a = 1
        if c:  # a b
            a = 2
            b = 3
        print(a, b)
    if c:  # a? b?
        a = 2
        b = 3
    return a, b

def bound_in_a_handler_too(c):
    try:
        a = 1
    except ValueError:
        a = 2
    if c:  # a
        a = 3
    return a

def bound_but_in_a_handler(c):
    try:
        a = 1
    except ValueError:
        pass
    if c:  # a?
        a = 3
    return a

def bound_in_finally(c):
    try:
        c()
    except ValueError:
        pass
    finally:
        a = 1
    if c:  # a
        a = 3
    return a

def bound_in_a_case(c):
    match c:
        case _:
            a = 1
    if c:  # a?
        a = 3
    return a

def of_comprehensions(a, b, c):
    if c:  # b
        a = 1
        b = 2
    return [a + b for a in c]

def of_the_first_iterable(a, c):
    if c:  # a
        a = 1
    return [a for a in a]

def of_a_default(a, c):
    if c:  # a
        a = 1
    def f(x=a): return x
    a = 2

def of_a_keyword_default(a, c):
    if c:  # a
        a = 1
    f = lambda *, x=a: x
    a = 2

def of_a_decorator(a, c):
    if c:  # a
        a = 1
    @a
    def f(): pass
    a = 2

def of_a_base(a, c):
    if c:  # a
        a = 1
    class F(a): pass
    a = 2

def of_the_body_of_a_class(a, c):
    if c:  # a
        a = 1
    class F:
        b = a
    a = 2

def of_a_function_made_later(a, c):
    if c:  # a
        a = 1
    def f(): return a
    return f

def of_a_function_made_before(a, c):
    def f(): return a
    if c:  # a
        a = 1
    f()

def of_a_method_made_before(a, c):
    class F:
        def f(self): return a
    if c:  # a
        a = 1
    F().f()

def of_a_function_made_later_in_an_outer_loop(a, f, n):
    for i in range(n):  # a f
        if i:  # a
            a = 1
        if f:  #
            f()
        a = 2
        f = lambda: a
        a = 3

def of_a_function_made_in_an_arm_before_a_loop(a, c):
    if c:  # a
        for i in c:  #
            a = i
        a = 2
        f = lambda: a
        f()

def of_a_generator(a, c):
    g = (a + i for i in c)
    if c:  # a
        a = 1
    print(*g)

def of_a_generator_used_up(a, c):
    g = sum(a + i for i in c)
    if c:  #
        a = 1
    print(g)

def of_a_function_with_its_own(a, c):
    def f(a): return a
    def g(): a = 1; return a
    if c:  #
        a = 1
    f(a := 2)

def written_by_a_function(a, c):
    def f():
        nonlocal a
        a = 2
    if c:  # a
        f()
    return a

def written_by_a_function_made_later(a, c):
    if c:  #
        c()
    a = 1
    def f():
        nonlocal a
        a = 2
    return a

def read_by_nothing_but_a_function_that_writes(a, c):
    if c:  # a
        a = 1
    def f():
        nonlocal a
        a = a + 2
    f()

def written_by_a_function_in_a_function(a, c):
    def f():
        def g():
            nonlocal a
            a = 2
        g()
    if c:  # a
        f()
    return a

def written_by_a_method(a, c):
    class F:
        def f(self):
            nonlocal a
            a = 2
    if c:  # a
        F().f()
    return a

def of_a_function_in_a_function_with_its_own(a, c):
    def f(a):
        def g():
            nonlocal a
            a = 2
        g()
    if c:  #
        f(1)
    return a

def declared_global(c):
    global a
    if c:  # a?
        a = 1
    a = 1
    if c:  # a?
        a = 2

def restored_for_the_other_arm(a, b, c):
    if c:  # b (a)
        a = 1
        b = a
    else:
        b = a
    return b

def restored_though_unbound(c):
    if c:  # (a)?
        a = 1
    else:
        print(a)

def not_restored_if_no_arm_reads_it(a, c):
    if c:  #
        a = 1
        print(a)
    else:
        a = 2

def in_the_order_of_the_text(a, b, n):
    for i in range(n):  # b a
        b, a = a, b
"""


def functions() -> list[ast.FunctionDef]:
    return [node for node in ast.parse(PROGRAMS).body if isinstance(node, ast.FunctionDef)]


def described(node: ast.FunctionDef) -> dict[int, str]:
    """What the comments should say, by line."""
    found: dict[int, str] = {}
    for stmt, facts in FunctionFacts(node, frozenset(), frozenset()).regions.items():
        words = [*facts.names, *(f"({name})" for name in facts.restored)]
        unbound = [word.strip("()") in facts.unbound for word in words]
        found[stmt.lineno] = " ".join(word + "?" * may for word, may in zip(words, unbound, strict=True))
    return found


@pytest.mark.parametrize("node", functions(), ids=lambda node: node.name)
def test_names(node: ast.FunctionDef) -> None:
    lines = PROGRAMS.splitlines()[: node.end_lineno]
    comments = {
        number: comment.strip()
        for number, line in enumerate(lines, 1)
        if number >= node.lineno
        for comment in re.findall(r"#(.*)", line)
    }
    assert described(node) == comments


def test_the_programs_are_python() -> None:
    compile(PROGRAMS, "<programs>", "exec")
    inner = [part for node in functions() for part in ast.walk(node) if isinstance(part, FUNCTIONS)]
    assert len(inner) > len(functions())
