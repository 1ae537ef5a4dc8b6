// problem: messy
public class Main {
    public static void main(String[] args) throws java.io.IOException {
        long total = 0, value = 0;
        boolean negative = false;
        int c;
        do {
            c = System.in.read();
            if (c == '-') {
                negative = true;
            } else if (Character.isDigit(c)) {
                value = 10 * value + (c - '0');
            } else {
                total += negative ? -value : value;
                value = 0;
                negative = false;
            }
        } while (c != -1);
        System.out.print(total);
    }
}
