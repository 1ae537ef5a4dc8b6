// expect: CE
public class Main {
    a b; a c; a d; a e; a f; a g; a h; a i; a j; a k; a l; a m; a n; a o; a p; a q; a r; a s; a t; a u; a v; a w; a x; a y;
    void f() { 1; 2; 3; "root"; int x = ""; int y = x x; /* and no end
}
