// problem: pairs
using System;
using System.Threading.Tasks;

class Program
{
    static void Main()
    {
        int t = int.Parse(Console.ReadLine());
        string[] lines = new string[t];
        for (int i = 0; i < t; i++) lines[i] = Console.ReadLine();
        int[] results = new int[t];
        Parallel.For(0, t, i =>
        {
            string[] words = lines[i].Split(' ');
            int a = int.Parse(words[0]), b = int.Parse(words[1]);
            results[i] = a > b ? a : b;
        });
        Console.WriteLine(string.Join("\n", results));
    }
}
