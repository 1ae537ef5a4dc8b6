// expect: CPU
// limits: cpu=0.5 wall=4
class Program {
    static void Main() {
        for (long n = 0; ; n++) if (n < 0) System.Console.WriteLine(n);
    }
}
