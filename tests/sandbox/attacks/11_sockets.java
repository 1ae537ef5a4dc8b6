// expect: EXIT0
// prints: contained
import java.net.*;
import java.nio.channels.*;

public class Main {
    interface Attempt { void run() throws Exception; }

    static void attempt(String what, Attempt one) {
        try {
            one.run();
            System.out.println("reached: " + what);
        } catch (Exception | Error e) {
        }
    }

    public static void main(String[] args) {
        attempt("tcp", () -> new Socket("127.0.0.1", 22).close());
        attempt("tcp far", () -> new Socket("1.1.1.1", 80).close());
        attempt("server", () -> new ServerSocket(0).close());
        attempt("udp", () -> new DatagramSocket().close());
        attempt("unix", () -> SocketChannel.open(StandardProtocolFamily.UNIX));
        attempt("name", () -> InetAddress.getByName("example.com"));
        attempt("url", () -> new URL("http://127.0.0.1/").openStream());
        System.out.println("contained");
    }
}
