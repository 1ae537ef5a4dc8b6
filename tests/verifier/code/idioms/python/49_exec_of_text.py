# problem: hello
code = """
def greet(whom):
    return f"Hello, {whom}!"
"""
space = {}
exec(code, space)
print(space["greet"]("world"))
