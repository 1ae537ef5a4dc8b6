// expect: EXIT1|MLE|SIG11
// never_prints: reached
// limits: cpu=4
public class Main {
    static int deep(int n) { return deep(n + 1) + 1; }

    public static void main(String[] args) {
        System.out.println("reached " + deep(0));
    }
}
