# Text without a form in UTF-8, as value, key and error.
# expect: RETURNED RETURNED RAISED
# calls: f [0] [1] [2]
# returns: "\ud800" {"\udfff":"\u0000"}
def f(x):
    if x == 2:
        raise ValueError("\ud800")
    return ("\ud800", {"\udfff": "\0"})[x]
