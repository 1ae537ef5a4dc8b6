// What the compiler could be made to read.
// expect: CE|EXIT0
// never_prints: root:
// prints: contained
#pragma checksum "/etc/shadow" "{406EA660-64CF-4C82-B6F0-42D48172A799}" "00"
#line 1 "/etc/shadow"
using System;
class Program { static void Main() { Console.WriteLine("contained"); } }
