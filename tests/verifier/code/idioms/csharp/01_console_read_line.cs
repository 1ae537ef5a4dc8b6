// problem: sum
using System;

class Program
{
    static void Main(string[] args)
    {
        int n = int.Parse(Console.ReadLine());
        string[] words = Console.ReadLine().Split(' ');
        long sum = 0;
        for (int i = 0; i < n; i++)
        {
            sum += long.Parse(words[i]);
        }
        Console.WriteLine(sum);
    }
}
