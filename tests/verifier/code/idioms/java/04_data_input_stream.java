// problem: huge
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;

public class Main {
    private static final int SIZE = 1 << 16;
    private static final DataInputStream IN = new DataInputStream(System.in);
    private static final byte[] BUFFER = new byte[SIZE];
    private static int at, end;

    private static byte read() throws IOException {
        if (at == end) {
            end = IN.read(BUFFER, at = 0, SIZE);
            if (end <= 0) return -1;
        }
        return BUFFER[at++];
    }

    private static int nextInt() throws IOException {
        int value = 0;
        byte b = read();
        while (b <= ' ') b = read();
        boolean negative = b == '-';
        if (negative) b = read();
        for (; b >= '0' && b <= '9'; b = read()) value = value * 10 + b - '0';
        return negative ? -value : value;
    }

    public static void main(String[] args) throws IOException {
        StringBuilder text = new StringBuilder();
        for (int n = nextInt(); n > 0; n--) text.append(2 * nextInt()).append('\n');
        DataOutputStream out = new DataOutputStream(System.out);
        out.write(text.toString().getBytes());
        out.flush();
    }
}
