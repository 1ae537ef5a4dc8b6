// problem: first
using System;

class Program
{
    static void Main()
    {
        long n = long.Parse(Console.ReadLine());
        Console.Error.WriteLine("n is {0}", n);
        Console.WriteLine(n * n);
        Environment.Exit(0);
    }
}
