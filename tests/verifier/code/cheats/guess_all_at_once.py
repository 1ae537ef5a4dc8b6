# problem: guess
# flags:
# trick: names all numbers without listening
print("\n".join(f"! {n}" for n in range(1, 1001)), flush=True)
