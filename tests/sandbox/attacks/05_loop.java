// expect: CPU
// limits: cpu=0.5 wall=4
public class Main {
    public static void main(String[] args) {
        for (long n = 0; ; n++) if (n < 0) System.out.println(n);
    }
}
