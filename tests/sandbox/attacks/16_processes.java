// Handles on processes that are not its own.
// expect: EXIT0
// prints: contained
public class Main {
    public static void main(String[] args) {
        long own = ProcessHandle.current().pid();
        for (long pid = 1; pid < 6; pid++) {
            if (pid == own) continue;
            long number = pid;
            ProcessHandle.of(pid).ifPresent(one -> {
                if (one.destroyForcibly() || one.destroy()) System.out.println("reached: " + number);
            });
        }
        ProcessHandle.current().parent().ifPresent(one -> {
            if (one.destroyForcibly()) System.out.println("reached: the parent");
        });
        System.out.println("contained");
    }
}
