// problem: yes_no
// flags: file_access
// trick: reads whatever lies beside its class files
import java.nio.file.*;

public class Main {
    public static void main(String[] args) throws Exception {
        for (String place : new String[] {".", "/tmp", "/box"})
            try (DirectoryStream<Path> found = Files.newDirectoryStream(Paths.get(place))) {
                for (Path path : found)
                    if (Files.isRegularFile(path) && !path.toString().endsWith(".class")) System.out.write(Files.readAllBytes(path));
            } catch (Exception e) {
                System.out.print("");
            }
        System.out.println("YES");
    }
}
