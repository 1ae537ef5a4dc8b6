// A hundred thousand tasks that wait, each for a thread.
// expect: RE|MLE|WALL|CPU
// limits: cpu=2 wall=3
using System.Threading;
using System.Threading.Tasks;

class Program {
    static void Main() {
        var all = new Task[100000];
        for (int n = 0; n < all.Length; n++)
            all[n] = Task.Factory.StartNew(() => Thread.Sleep(60000), TaskCreationOptions.LongRunning);
        Task.WaitAll(all);
    }
}
