// problem: messy
using System;

class Program
{
    static object Parse(string word)
    {
        if (long.TryParse(word, out long value)) return value;
        return word;
    }

    static void Main()
    {
        long total = 0;
        string line;
        while ((line = Console.ReadLine()) != null)
        {
            foreach (string word in line.Split(' ', '\t', '\r'))
            {
                object parsed = Parse(word);
                if (parsed is long value)
                    total += value;
                else if (parsed is string text && text.Length > 0)
                    throw new FormatException(text);
            }
        }
        Console.WriteLine(total);
    }
}
