# A coding line that asks for something else than UTF-8.
# -*- coding: rot13 -*-
# expect: EXIT0|CE
# prints: contained
print("contained")
