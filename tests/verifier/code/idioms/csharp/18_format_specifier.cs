// problem: mean
using System;
using System.Linq;

class Program
{
    static void Main()
    {
        Console.ReadLine();
        double mean = Console.ReadLine().Split(' ').Select(double.Parse).Average();
        Console.WriteLine("{0:F3}", mean);
    }
}
