// problem: sorted
using System;
using System.Linq;

class Program
{
    static void Main()
    {
        Console.ReadLine();
        Console.WriteLine(string.Join(" ", Console.ReadLine().Split().Where(s => s != "").Select(int.Parse).OrderBy(x => x)));
    }
}
