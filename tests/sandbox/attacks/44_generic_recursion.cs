// Types that the runtime makes without end.
// expect: RE|MLE|CPU
// limits: cpu=2 memory=256M
class Deep<T> {
    public static int Go(int n) { return Deep<Deep<T>>.Go(n + 1) + 1; }
}

class Program {
    static void Main() { System.Console.WriteLine(Deep<int>.Go(0)); }
}
