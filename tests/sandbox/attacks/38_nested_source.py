# The parser's own recursion, at run time.
# expect: EXIT0
# prints: contained
import ast

for text in (
    "(" * 100_000,
    "-" * 100_000 + "1",
    "[" * 1000 + "]" * 1000,
    "a." * 100_000 + "a",
    "lambda:" * 10_000,
):
    for use in (ast.parse, eval, lambda t: compile(t, "", "exec")):
        try:
            use(text)
        except (SyntaxError, MemoryError, RecursionError, NameError):
            pass
print("contained")
