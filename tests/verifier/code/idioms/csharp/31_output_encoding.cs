// problem: echo
using System;
using System.IO;
using System.Text;

class Program
{
    static void Main()
    {
        Console.InputEncoding = Encoding.UTF8;
        Console.OutputEncoding = new UTF8Encoding(false);
        var held = new StringWriter();
        string line;
        while ((line = Console.ReadLine()) != null) held.WriteLine(line);
        Console.Write(held.ToString());
    }
}
