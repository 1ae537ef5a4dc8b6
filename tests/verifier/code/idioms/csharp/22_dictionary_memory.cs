// problem: fib
using System;
using System.Collections.Generic;

class Program
{
    static readonly Dictionary<int, long> known = new Dictionary<int, long> { { 0, 0 }, { 1, 1 } };

    static long Fib(int n)
    {
        if (known.TryGetValue(n, out var value)) return value;
        return known[n] = (Fib(n - 1) + Fib(n - 2)) % 1000000007;
    }

    static void Main() => Console.WriteLine(Fib(int.Parse(Console.ReadLine())));
}
