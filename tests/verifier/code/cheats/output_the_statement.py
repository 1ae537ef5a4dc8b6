# problem: primes
# flags: quotes_statement
# trick: prints the task and an answer that a reader may take for right
print("Count the prime numbers that are smaller than the number n on standard input.")
print("The answer is the number of primes smaller than n, as the statement asks.")
