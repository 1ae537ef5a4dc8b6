// problem: big
using System;
using System.Numerics;

class Program
{
    static BigInteger Widen(object value)
    {
        switch (value)
        {
            case int small:
                return small;
            case long large:
                return large;
            default:
                throw new ArgumentException("value");
        }
    }

    static void Main()
    {
        BigInteger product = Widen(1);
        for (int i = 0; i < 2; i++) product *= Widen(long.Parse(Console.ReadLine()));
        Console.WriteLine(product);
    }
}
