// expect: EXIT0
// prints: contained
public class Main {
    @SuppressWarnings("removal")
    public static void main(String[] args) {
        try {
            System.setSecurityManager(null);
            System.setSecurityManager(new SecurityManager() {
                @Override
                public void checkExit(int status) { throw new SecurityException(); }
            });
        } catch (UnsupportedOperationException e) {
        }
        System.out.println("contained");
    }
}
