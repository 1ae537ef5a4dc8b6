// Loads machine code that it has written itself.
// expect: EXIT0
// tiers: T3
// prints: contained
import java.nio.file.*;

public class Main {
    static native void reach();

    public static void main(String[] args) throws Exception {
        for (String path : new String[] {"/tmp/evil.so", "/lib/x86_64-linux-gnu/libc.so.6"}) {
            try {
                Files.write(Path.of("/tmp/evil.so"), new byte[] {0x7f, 'E', 'L', 'F', 2, 1, 1, 0});
                System.load(path);
                reach();
                System.out.println("reached: " + path);
            } catch (UnsatisfiedLinkError e) {
            }
        }
        System.out.println("contained");
    }
}
