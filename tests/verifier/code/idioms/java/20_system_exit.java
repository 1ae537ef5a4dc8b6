// problem: first
import java.util.Scanner;

public class Main {
    public static void main(String[] args) {
        Scanner in = new Scanner(System.in);
        int n = in.nextInt();
        System.err.println("read " + n);
        System.out.println((long) n * n);
        System.exit(0);
        throw new AssertionError();
    }
}
