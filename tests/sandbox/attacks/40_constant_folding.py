# Constants that the compiler would work out.
# expect: CPU|MLE|RE|CE
# limits: cpu=1 memory=128M
x = 2**1000000**3 if __name__ == "__main__" else (10**100000) ** (10**5)
y = "x" * 10**12
z = (1,) * 10**12
