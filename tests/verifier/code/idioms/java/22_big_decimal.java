// problem: big
import java.io.*;
import java.math.*;

final class Main {
    public static void main(final String[] args) throws IOException {
        final LineNumberReader in = new LineNumberReader(new InputStreamReader(System.in));
        final BigDecimal a = new BigDecimal(in.readLine()), b = new BigDecimal(in.readLine());
        System.out.println(a.multiply(b, MathContext.UNLIMITED).toPlainString());
    }
}
