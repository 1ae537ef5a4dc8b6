// problem: first
using System;

class Program
{
    static long answer;

    static void Main()
    {
        AppDomain.CurrentDomain.ProcessExit += (sender, e) => Console.Out.WriteLine(answer);
        answer = (long)Math.Pow(int.Parse(Console.ReadLine()), 2);
    }
}
