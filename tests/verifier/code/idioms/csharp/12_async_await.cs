// problem: sum
using System;
using System.Linq;
using System.Threading.Tasks;

class Program
{
    static void Main(string[] args)
    {
        MainAsync().GetAwaiter().GetResult();
    }

    static async Task MainAsync()
    {
        int n = int.Parse(await Console.In.ReadLineAsync());
        string line = await Console.In.ReadLineAsync();
        await Console.Out.WriteLineAsync(line.Split(' ').Take(n).Select(long.Parse).Sum().ToString());
    }
}
