// problem: first
using System;
using System.Threading.Tasks;

class Program
{
    static async Task Main(string[] args)
    {
        long n = long.Parse(await Console.In.ReadLineAsync());
        await Console.Out.WriteLineAsync((n * n).ToString());
    }
}
