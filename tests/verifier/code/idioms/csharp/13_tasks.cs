// problem: pairs
using System;
using System.Threading.Tasks;

class Program
{
    static void Main()
    {
        int t = int.Parse(Console.ReadLine());
        var results = new Task<int>[t];
        for (int i = 0; i < t; i++)
        {
            string line = Console.ReadLine();
            results[i] = Task.Run(() =>
            {
                var words = line.Split(' ');
                return Math.Max(int.Parse(words[0]), int.Parse(words[1]));
            });
        }
        Task.WaitAll(results);
        foreach (var result in results) Console.WriteLine(result.Result);
    }
}
