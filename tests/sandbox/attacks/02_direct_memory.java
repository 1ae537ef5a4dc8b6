// Outside of the heap that the machine watches over.
// expect: MLE|RE
// limits: memory=128M
import java.nio.ByteBuffer;
import java.util.*;

public class Main {
    public static void main(String[] args) {
        List<ByteBuffer> all = new ArrayList<>();
        while (true) {
            ByteBuffer one = ByteBuffer.allocateDirect(1 << 20);
            for (int n = 0; n < one.capacity(); n += 4096) one.put(n, (byte) 1);
            all.add(one);
        }
    }
}
