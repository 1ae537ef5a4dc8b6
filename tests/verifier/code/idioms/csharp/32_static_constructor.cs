// problem: hello
using System;

class Program
{
    static readonly string greeting;

    static Program()
    {
        greeting = @"Hello, world!";
    }

    static int Main(string[] args)
    {
        Console.WriteLine(greeting);
        return args.Length;
    }
}
