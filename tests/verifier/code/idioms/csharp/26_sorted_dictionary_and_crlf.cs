// problem: words
using System;
using System.Collections.Generic;

class Program
{
    static void Main()
    {
        Console.Out.NewLine = "\r\n";
        var counts = new SortedDictionary<string, int>(StringComparer.Ordinal);
        foreach (string word in Console.In.ReadToEnd().Split(new[] { ' ', '\n', '\r' }, StringSplitOptions.RemoveEmptyEntries))
        {
            int count;
            counts.TryGetValue(word, out count);
            counts[word] = count + 1;
        }
        foreach (KeyValuePair<string, int> pair in counts) Console.WriteLine(pair.Key + " " + pair.Value);
    }
}
