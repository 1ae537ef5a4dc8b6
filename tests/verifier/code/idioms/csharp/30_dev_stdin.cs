// problem: echo
using System;
using System.IO;

class Program
{
    static void Main()
    {
        foreach (string line in File.ReadLines("/dev/stdin")) Console.WriteLine(line);
    }
}
