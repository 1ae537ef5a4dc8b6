// expect: EXIT0
// prints: contained
using System;
using System.Diagnostics;

class Program {
    static void Main() {
        foreach (var command in new[] {"cat /etc/shadow", "ls /root/.ssh", "cat /proc/1/environ", "kill -9 1", "mount -t tmpfs none /tmp"}) {
            try {
                var start = new ProcessStartInfo("/bin/sh", "-c \"" + command + "\"");
                start.UseShellExecute = false;
                start.RedirectStandardOutput = start.RedirectStandardError = true;
                using (var one = Process.Start(start)) {
                    var text = one.StandardOutput.ReadToEnd();
                    one.WaitForExit();
                    if (one.ExitCode == 0) Console.WriteLine("reached: " + command + " " + text);
                }
            } catch (Exception) { }
        }
        for (int pid = 1; pid < 6; pid++) {
            try {
                var one = Process.GetProcessById(pid);
                if (one.Id == Process.GetCurrentProcess().Id) continue;
                one.Kill();
                Console.WriteLine("reached: " + pid);
            } catch (Exception) { }
        }
        Console.WriteLine("contained");
        Environment.Exit(0);
    }
}
