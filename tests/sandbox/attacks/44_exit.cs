// expect: EXIT0
// prints:
class Program {
    static readonly int early = Leave();

    static int Leave() {
        System.Environment.Exit(0);
        return 1;
    }

    static void Main() { System.Console.WriteLine(early); }
}
