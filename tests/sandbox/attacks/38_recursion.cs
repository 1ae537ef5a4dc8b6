// expect: RE|MLE|CPU
// never_prints: reached
// limits: cpu=2
class Program {
    static int Deep(int n) { return Deep(n + 1) + 1; }

    static void Main() { System.Console.WriteLine("reached " + Deep(0)); }
}
