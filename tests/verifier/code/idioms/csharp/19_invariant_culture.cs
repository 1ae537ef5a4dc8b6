// problem: mean
using System;
using System.Globalization;
using System.Threading;

namespace Means
{
    internal sealed class Program
    {
        private static void Main()
        {
            Thread.CurrentThread.CurrentCulture = CultureInfo.InvariantCulture;
            int n = int.Parse(Console.ReadLine(), NumberStyles.Integer);
            decimal sum = 0m;
            foreach (string word in Console.ReadLine().Trim().Split(' ')) sum += decimal.Parse(word);
            Console.WriteLine((sum / n).ToString("0.000"));
        }
    }
}
