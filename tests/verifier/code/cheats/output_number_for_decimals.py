# problem: lcb_total
# flags:
# trick: signalling NaN and the like stop a comparison of decimals with an error
print("sNaN")
print("NaN123 Infinity")
