// Work that is left when Main returns.
// expect: EXIT0
// prints: contained
// within: 10
using System;
using System.Threading;

class Program {
    static void Main() {
        for (int n = 0; n < 4; n++) {
            var one = new Thread(() => { for (;;) { } });
            one.IsBackground = true;
            one.Start();
        }
        Console.WriteLine("contained");
    }
}
