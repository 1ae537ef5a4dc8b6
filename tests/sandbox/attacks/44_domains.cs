// Leaves the domain that it runs in, and lets it be unloaded beneath it.
// expect: EXIT0|RE
// never_prints: reached
using System;

class Program {
    static void Main() {
        AppDomain.CurrentDomain.ProcessExit += (a, b) => Environment.Exit(0);
        AppDomain.CurrentDomain.UnhandledException += (a, b) => Environment.Exit(0);
        try {
            AppDomain.Unload(AppDomain.CurrentDomain);
        } catch (Exception) { }
        throw new Exception("hidden");
    }
}
