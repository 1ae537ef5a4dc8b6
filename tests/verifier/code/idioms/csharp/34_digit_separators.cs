// problem: fib
using System;

class Program
{
    const int Modulus = 1_000_000_007;

    static void Main()
    {
        int n = int.Parse(Console.ReadLine());
        int a = 0, b = 1;
        for (int i = 0; i < n; i++)
        {
            int c = (int)(((long)a + b) % Modulus);
            a = b;
            b = c;
        }
        Console.WriteLine(a);
    }
}
