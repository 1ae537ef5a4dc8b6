# problem: deep
from types import GeneratorType


def bootstrap(function):
    stack = []

    def run(*arguments):
        if stack:
            return function(*arguments)
        step = function(*arguments)
        while True:
            if isinstance(step, GeneratorType):
                stack.append(step)
                step = next(step)
            else:
                stack.pop()
                if not stack:
                    return step
                step = stack[-1].send(step)

    return run


@bootstrap
def climb(n):
    if n == 0:
        yield 0
    else:
        below = yield climb(n - 1)
        yield below + n


print(climb(int(input())))
