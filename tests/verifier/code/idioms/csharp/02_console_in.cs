// problem: messy
using System;

public static class Solution
{
    public static void Main()
    {
        var separators = new[] { ' ', '\t', '\r', '\n' };
        long total = 0;
        foreach (var word in Console.In.ReadToEnd().Split(separators, StringSplitOptions.RemoveEmptyEntries))
            total += Convert.ToInt64(word);
        Console.Write(total);
    }
}
