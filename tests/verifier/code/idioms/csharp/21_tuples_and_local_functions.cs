// problem: fib
using System;

class Program
{
    static void Main()
    {
        const long Modulus = 1_000_000_007;
        (long low, long high) Step((long low, long high) pair) => (pair.high, (pair.low + pair.high) % Modulus);

        var state = (low: 0L, high: 1L);
        for (int n = int.Parse(Console.ReadLine()); n > 0; n--) state = Step(state);
        Console.WriteLine(state.low);
    }
}
