// Memory by its address: only itself dies.
// expect: RE|CE
// runs: 2
using System;
using System.Runtime.InteropServices;

class Program {
    static void Main() {
        for (long at = 8; ; at += 4096) Marshal.WriteInt64(new IntPtr(at), 1);
    }
}
