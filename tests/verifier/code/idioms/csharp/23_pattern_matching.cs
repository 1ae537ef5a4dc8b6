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
                switch (Parse(word))
                {
                    case long value:
                        total += value;
                        break;
                    case string text when text.Length > 0:
                        throw new FormatException(text);
                }
            }
        }
        Console.WriteLine(total);
    }
}
