// expect: WALL
// limits: wall=0.8
class Program {
    static void Main() { System.Threading.Thread.Sleep(-1); }
}
