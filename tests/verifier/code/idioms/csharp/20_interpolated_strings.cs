// problem: mean
using System;
using static System.Console;

class Program
{
    static int n;
    static double Mean => Sum(ReadLine().Split(' ')) / n;

    static double Sum(params string[] words)
    {
        double sum = 0;
        foreach (var word in words) sum += double.Parse(word);
        return sum;
    }

    static void Main()
    {
        n = int.Parse(ReadLine());
        WriteLine($"{Mean:0.000}");
    }
}
