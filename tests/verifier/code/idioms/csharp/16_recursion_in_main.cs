// problem: deep
using System;
using System.Collections.Generic;

class Program
{
    static List<int>[] children;
    static long sum;

    static void Visit(int node)
    {
        sum += node;
        foreach (int child in children[node]) Visit(child);
    }

    static void Main()
    {
        int n = int.Parse(Console.ReadLine());
        children = new List<int>[n + 1];
        for (int i = 0; i <= n; i++) children[i] = new List<int>();
        for (int i = 0; i < n; i++) children[i].Add(i + 1);
        Visit(0);
        Console.WriteLine(sum);
    }
}
