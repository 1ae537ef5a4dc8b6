// problem: huge
using System;
using System.IO;

class Program
{
    static void Main()
    {
        using (var reader = new StreamReader(Console.OpenStandardInput(), System.Text.Encoding.ASCII, false, 1 << 16))
        using (var writer = new StreamWriter(Console.OpenStandardOutput(), new System.Text.UTF8Encoding(false), 1 << 16))
        {
            int n = int.Parse(reader.ReadLine());
            while (n-- > 0) writer.WriteLine(2 * int.Parse(reader.ReadLine()));
        }
    }
}
