// problem: fib
using System;

class Program
{
    static void Main()
    {
        const long Modulus = 1000000007;
        Func<long, long, long> add = (a, b) => (a + b) % Modulus;

        var state = (low: 0L, high: 1L);
        for (int n = int.Parse(Console.ReadLine()); n > 0; n--) state = (state.high, add(state.low, state.high));
        Console.WriteLine(state.low);
    }
}
