// expect: EXIT0
// prints: contained
import java.io.*;

public class Main {
    public static void main(String[] args) throws Exception {
        String[] commands = {"cat /etc/shadow", "ls /root/.ssh", "cat /proc/1/environ", "kill -9 1", "mount -t tmpfs none /tmp"};
        for (String command : commands) {
            try {
                Process one = new ProcessBuilder("/bin/sh", "-c", command).redirectErrorStream(true).start();
                String text = new String(one.getInputStream().readAllBytes());
                if (one.waitFor() == 0) System.out.println("reached: " + command + " " + text);
            } catch (IOException e) {
            }
        }
        System.out.println("contained");
        try {
            new ProcessBuilder("sleep", "60").start();
        } catch (IOException e) {
        }
        System.out.flush();
        Runtime.getRuntime().halt(0);
    }
}
