// problem: messy
using System;

class Program
{
    static void Main()
    {
        long total = 0, value = 0;
        int sign = 1, c;
        do
        {
            c = Console.Read();
            if (c == '-') sign = -1;
            else if (c >= '0' && c <= '9') value = value * 10 + c - '0';
            else
            {
                total += sign * value;
                value = 0;
                sign = 1;
            }
        } while (c != -1);
        Console.WriteLine(total);
    }
}
