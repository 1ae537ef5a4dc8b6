// problem: sorted
using System;
using System.Collections.Generic;
using System.Text;

struct Item : IComparable<Item>
{
    public int Value { get; }

    public Item(int value)
    {
        Value = value;
    }

    public int CompareTo(Item other) => Value.CompareTo(other.Value);

    public override string ToString() => Value.ToString();
}

class Program
{
    static void Main()
    {
        var items = new List<Item>();
        int n = int.Parse(Console.ReadLine());
        foreach (var word in Console.ReadLine().Split(' ')) items.Add(new Item(int.Parse(word)));
        items.Sort();
        var text = new StringBuilder();
        for (int i = 0; i < n; i++) text.AppendFormat("{0}{1}", i > 0 ? " " : "", items[i]);
        Console.WriteLine(text);
    }
}
