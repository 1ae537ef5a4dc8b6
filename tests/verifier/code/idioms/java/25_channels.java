// problem: copy
import java.nio.ByteBuffer;
import java.nio.channels.*;

public class Main {
    public static void main(String[] args) throws Exception {
        ReadableByteChannel in = Channels.newChannel(System.in);
        WritableByteChannel out = Channels.newChannel(System.out);
        ByteBuffer buffer = ByteBuffer.allocateDirect(8192);
        while (in.read(buffer) >= 0) {
            buffer.flip();
            while (buffer.hasRemaining()) out.write(buffer);
            buffer.clear();
        }
        System.out.flush();
    }
}
