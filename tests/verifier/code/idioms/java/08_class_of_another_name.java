// problem: pairs
import java.util.Scanner;

public class LargerOfTwo {
    public static void main(String[] arguments) {
        try (Scanner scanner = new Scanner(System.in)) {
            int cases = scanner.nextInt();
            for (int i = 0; i < cases; ++i) {
                System.out.println(Math.max(scanner.nextInt(), scanner.nextInt()));
            }
        }
    }
}
