// problem: copy
using System;
using System.IO;

class Program
{
    static int Main()
    {
        byte[] block = new byte[4096];
        Stream input = Console.OpenStandardInput(), output = Console.OpenStandardOutput();
        int got;
        while ((got = input.Read(block, 0, block.Length)) > 0) output.Write(block, 0, got);
        output.Flush();
        return 0;
    }
}
