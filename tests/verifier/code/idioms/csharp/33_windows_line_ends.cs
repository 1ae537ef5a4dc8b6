// problem: pairs
using System;

class Program
{
    static void Main()
    {
        for (int t = int.Parse(Console.ReadLine()); t > 0; t--)
        {
            var words = Console.ReadLine().Split(' ');
            Console.WriteLine(Math.Max(int.Parse(words[0]), int.Parse(words[1])));
        }
    }
}
