using System.Diagnostics;
using Merge.Merging;
using Spectre.Console;

namespace Merge.Commands;

/// <summary>
/// How far long work is: at a terminal a bar with GB/s, time left and memory; in a pipe a plain line every tenth; with
/// <c>--json</c> silence.
/// </summary>
internal static class TerminalProgress
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(30);

    /// <param name="terminal">Where it is shown.</param>
    /// <param name="what">One word, for example <c>merging</c>.</param>
    /// <param name="totalBytes">Bytes to read and write in all.</param>
    /// <param name="progress">The counters that <paramref name="work"/> raises.</param>
    /// <param name="work">Runs on a thread of its own.</param>
    public static T Run<T>(Terminal terminal, string what, long totalBytes, RunProgress progress, Func<T> work)
    {
        if (terminal.IsJson)
            return work();
        var clock = Stopwatch.StartNew();
        var running = Task.Factory.StartNew(work, TaskCreationOptions.LongRunning);
        if (terminal.ErrorWidth is { } width)
            Draw(terminal, width, what, totalBytes, progress, clock, running);
        else
            PrintTenths(terminal, what, totalBytes, progress, clock, running);
        return running.GetAwaiter().GetResult();
    }

    private static void PrintTenths(
        Terminal terminal, string what, long total, RunProgress progress, Stopwatch clock, Task running)
    {
        var (next, last) = (1L, TimeSpan.Zero);
        while (!Ended(running))
        {
            var (done, all) = Done(progress, total);
            var tenth = Math.Min((long)(10.0 * done / Math.Max(all, 1)), 10);
            // What lasts less than a few seconds needs no news; what lasts long some, whether it gets on or not.
            if ((tenth < next || clock.Elapsed.TotalSeconds < 2) && clock.Elapsed - last < Silence)
                continue;
            terminal.Note($"{what}: {tenth * 10} %, {Detail(progress, clock)}");
            (next, last) = (Math.Max(next, tenth + 1), clock.Elapsed);
        }
    }

    private static void Draw(
        Terminal terminal, int width, string what, long total, RunProgress progress, Stopwatch clock, Task running)
    {
        // Short work ends before a bar is worth drawing, and before its library is worth loading.
        if (running.Wait(Interval * 2))
            return;
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(terminal.Error),
            Ansi = AnsiSupport.Yes,
            ColorSystem = terminal.IsColored ? ColorSystemSupport.Standard : ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.Yes,
        });
        console.Profile.Width = width;
        console.Progress()
            .AutoClear(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .Start(context =>
            {
                var bar = context.AddTask(Markup.Escape(what), maxValue: Math.Max(total, 1));
                while (!Ended(running))
                {
                    var (done, all) = Done(progress, total);
                    (bar.MaxValue, bar.Value) = (Math.Max(all, 1), done);
                    bar.Description = Markup.Escape($"{what} {Detail(progress, clock)}");
                }
            });
    }

    private static bool Ended(Task running) => Task.WhenAny(running, Task.Delay(Interval)).Result == running;

    private static (long Done, long All) Done(RunProgress progress, long total) =>
        progress.Work > 0 ? (progress.WorkDone, progress.Work) : (progress.BytesRead + progress.BytesWritten, total);

    private static string Detail(RunProgress progress, Stopwatch clock) =>
        $"{(progress.BytesRead + progress.BytesWritten) / 1e9 / clock.Elapsed.TotalSeconds:0.00} GB/s, {Environment.WorkingSet >> 20} MB memory";
}
