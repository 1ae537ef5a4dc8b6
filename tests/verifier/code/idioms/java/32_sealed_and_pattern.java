// problem: messy
import java.util.Scanner;

sealed interface Token permits Number, Nothing {}

record Number(long value) implements Token {}

record Nothing() implements Token {}

public class Main {
    static Token next(Scanner in) {
        return in.hasNextLong() ? new Number(in.nextLong()) : new Nothing();
    }

    public static void main(String[] args) {
        Scanner in = new Scanner(System.in);
        long total = 0;
        while (next(in) instanceof Number number) total += number.value();
        System.out.println(total + "\n\n");
    }
}
