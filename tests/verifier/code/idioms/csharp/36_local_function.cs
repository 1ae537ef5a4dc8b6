// problem: pairs
using System;

class Program
{
    static void Main()
    {
        int[] Read()
        {
            return Array.ConvertAll(Console.ReadLine().Split(' '), int.Parse);
        }

        int t = Read()[0];
        while (t-- > 0)
        {
            int[] pair = Read();
            Console.WriteLine(Math.Max(pair[0], pair[1]));
        }
    }
}
