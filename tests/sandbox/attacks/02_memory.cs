// expect: MLE|RE
// limits: memory=128M
using System.Collections.Generic;

class Program {
    static void Main() {
        var all = new List<byte[]>();
        for (;;) {
            var one = new byte[1 << 20];
            for (int n = 0; n < one.Length; n += 4096) one[n] = 1;
            all.Add(one);
        }
    }
}
