// problem: pairs
import java.util.Scanner;

public class Main {
    enum Order { LESS, EQUAL, MORE }

    static Order compare(int a, int b) {
        return Order.values()[Integer.signum(Integer.compare(a, b)) + 1];
    }

    public static void main(String[] args) {
        Scanner in = new Scanner(System.in);
        int t = in.nextInt();
        while (t-- > 0) {
            int a = in.nextInt(), b = in.nextInt();
            System.out.println(switch (compare(a, b)) {
                case LESS, EQUAL -> b;
                case MORE -> a;
            });
        }
    }
}
