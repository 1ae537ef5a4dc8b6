// problem: huge
using System;
using System.IO;
using System.Text;

class Program
{
    static readonly Stream input = new BufferedStream(Console.OpenStandardInput(), 1 << 16);

    static int Next()
    {
        int c = input.ReadByte();
        while (c != '-' && (c < '0' || c > '9')) c = input.ReadByte();
        bool negative = c == '-';
        if (negative) c = input.ReadByte();
        int value = 0;
        for (; c >= '0' && c <= '9'; c = input.ReadByte()) value = value * 10 + (c - '0');
        return negative ? -value : value;
    }

    static void Main()
    {
        var text = new StringBuilder();
        for (int n = Next(); n > 0; n--) text.Append(2 * Next()).Append('\n');
        Console.Write(text);
    }
}
