"""Text to a tree: `parser.parse`.

Imports go one way: a module takes only from the lines above it and from its left.

    vocabulary, chinese, unicode     words and characters that are known
    cleaning, spoken                 text without empty marks, numbers in words in digits
    tokens, bases                    text in tokens; numerals with a base in one
    reader                           the place in the tokens; how tightly things bind
    numerals, brackets, scripts      what the other constructs are made of
    counting, numbersets             combinations; sets of numbers
    operators, juxtaposition         two operands
    functions, binders, environments, commands, names, trailing
                                     what a name, a command or a word starts or ends
    parser                           the loop that chooses among them

What must call back into the loop does so through `reader.Reader`, which the parser is.
"""
