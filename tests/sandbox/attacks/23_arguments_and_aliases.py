# What a call is given is its own, and what it gave is what it was then.
# expect: RETURNED
# calls: f [[1, 2]] [[1, 2]] [[1, 2]]
# returns: [1,2,0] [1,2,1] [1,2,2]
kept = []


def f(a):
    for one in kept:
        one.append(99)
        one.clear()
    a.append(len(kept))
    kept.append(a)
    return a
