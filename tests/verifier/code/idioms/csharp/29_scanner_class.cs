// problem: sum
using System;
using System.Collections.Generic;

class Scanner
{
    private readonly Queue<string> words = new Queue<string>();

    public string Next()
    {
        while (words.Count == 0)
            foreach (string word in Console.ReadLine().Split(' '))
                if (word != string.Empty) words.Enqueue(word);
        return words.Dequeue();
    }

    public int NextInt() { return int.Parse(Next()); }
    public long NextLong() { return long.Parse(Next()); }
}

class Program
{
    public static void Main()
    {
        var scanner = new Scanner();
        var sum = 0L;
        for (var n = scanner.NextInt(); n > 0; n--) sum += scanner.NextLong();
        Console.WriteLine(sum);
    }
}
