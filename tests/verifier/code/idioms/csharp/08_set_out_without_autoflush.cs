// problem: pairs
using System;
using System.IO;

class Program
{
    static void Main()
    {
        Console.SetOut(new StreamWriter(Console.OpenStandardOutput()) { AutoFlush = false });
        int t = Convert.ToInt32(Console.ReadLine());
        while (t-- > 0)
        {
            int[] pair = Array.ConvertAll(Console.ReadLine().Split(' '), int.Parse);
            Console.WriteLine(Math.Max(pair[0], pair[1]));
        }
        Console.Out.Flush();
    }
}
