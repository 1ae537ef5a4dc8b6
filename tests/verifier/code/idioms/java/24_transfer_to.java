// problem: copy
import java.io.*;

public class Main {
    public static void main(String[] args) throws IOException {
        try (OutputStream out = new BufferedOutputStream(new FileOutputStream(FileDescriptor.out));
                InputStream in = new BufferedInputStream(new FileInputStream(FileDescriptor.in))) {
            in.transferTo(out);
        }
    }
}
