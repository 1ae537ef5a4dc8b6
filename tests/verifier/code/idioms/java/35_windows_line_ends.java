// problem: fib
import java.util.Scanner;

public class Main {
    public static void main(String[] args) {
        int n = new Scanner(System.in).nextInt();
        long a = 0, b = 1;
        for (int i = 0; i < n; i++) {
            long c = (a + b) % 1000000007;
            a = b;
            b = c;
        }
        System.out.println(a);
    }
}
