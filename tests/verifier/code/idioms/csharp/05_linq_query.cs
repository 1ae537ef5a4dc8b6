// problem: words
using System;
using System.Collections.Generic;
using System.Linq;

class Program
{
    static IEnumerable<string> Words()
    {
        for (string line; (line = Console.ReadLine()) != null;)
            foreach (string word in line.Split(new char[0], StringSplitOptions.RemoveEmptyEntries))
                yield return word;
    }

    static void Main()
    {
        var counts = from word in Words()
                     group word by word into same
                     orderby same.Key
                     select new { same.Key, Count = same.Count() };
        foreach (var entry in counts) Console.WriteLine("{0} {1}", entry.Key, entry.Count);
    }
}
