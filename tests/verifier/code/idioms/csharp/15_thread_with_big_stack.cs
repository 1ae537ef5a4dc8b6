// problem: deep
using System;
using System.Threading;

class Program
{
    static long Climb(int n)
    {
        return n == 0 ? 0 : n + Climb(n - 1);
    }

    static void Main()
    {
        var worker = new Thread(() => Console.WriteLine(Climb(int.Parse(Console.ReadLine()))), 256 * 1024 * 1024);
        worker.Start();
        worker.Join();
    }
}
