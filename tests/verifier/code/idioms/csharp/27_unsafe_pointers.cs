// problem: sorted
using System;

unsafe class Program
{
    static void Main()
    {
        int n = int.Parse(Console.ReadLine());
        int[] values = Array.ConvertAll(Console.ReadLine().Trim().Split(' '), Convert.ToInt32);
        fixed (int* first = values)
        {
            for (int* a = first; a < first + n; a++)
                for (int* b = a; b > first && b[-1] > *b; b--)
                {
                    int c = *b;
                    *b = b[-1];
                    b[-1] = c;
                }
        }
        foreach (int value in values) Console.Write(value + " ");
        Console.WriteLine();
        Console.WriteLine();
    }
}
