// expect: EXIT0
// prints: contained
// runs: 2
using System;
using System.IO;

class Program {
    static void Main() {
        foreach (var path in new[] {"/etc/shadow", "/etc/passwd", "/proc/1/environ", "/root/.bashrc", "/proc/kcore"})
            try {
                using (var one = File.OpenRead(path)) if (one.ReadByte() >= 0) Console.WriteLine("reached: " + path);
            } catch (Exception) { }
        foreach (var path in new[] {"/", "/usr/", "/etc/", "/box/", "/bin/", "/dev/"})
            try {
                File.WriteAllText(path + "new", "x");
                Console.WriteLine("reached: wrote " + path);
            } catch (Exception) { }
        Console.WriteLine("contained");
    }
}
