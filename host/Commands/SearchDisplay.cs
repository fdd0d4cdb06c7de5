using System.Diagnostics;
using System.Globalization;
using Merge.Search;
using Spectre.Console;

namespace Merge.Commands;

/// <summary>Where a search stands, while it runs: a bar at a terminal, now and then a line in a pipe.</summary>
internal static class SearchDisplay
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    // In a pipe: news at every tenth, but not more often than this, and at least this often.
    private static readonly TimeSpan MostOften = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LeastOften = TimeSpan.FromMinutes(1);

    /// <summary>Runs the work on threads of its own.</summary>
    public static T Run<T>(Terminal terminal, string what, SearchProgress progress, Func<Task<T>> work)
    {
        if (terminal.IsJson)
            return work().GetAwaiter().GetResult();
        var clock = Stopwatch.StartNew();
        var running = Task.Run(work);
        if (terminal.ErrorWidth is { } width)
            Draw(terminal, width, what, progress, clock, running);
        else
            PrintLines(terminal, what, progress, clock, running);
        return running.GetAwaiter().GetResult();
    }

    private static void PrintLines(Terminal terminal, string what, SearchProgress progress, Stopwatch clock, Task running)
    {
        var (lastAt, lastTenth) = (TimeSpan.Zero, 0);
        while (!Ended(running))
        {
            var tenth = progress.Total == 0 ? 0 : progress.Done * 10 / progress.Total;
            var since = clock.Elapsed - lastAt;
            if (since < MostOften || (tenth == lastTenth && since < LeastOften))
                continue;
            terminal.Note($"{what}: {Text(progress, clock)}");
            (lastAt, lastTenth) = (clock.Elapsed, tenth);
        }
    }

    private static void Draw(Terminal terminal, int width, string what, SearchProgress progress, Stopwatch clock, Task running)
    {
        // Short work ends before a bar is worth drawing, and before its library is worth loading.
        if (Task.WhenAny(running, Task.Delay(Interval * 2)).Result == running)
            return;
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(terminal.Error),
            Ansi = AnsiSupport.Yes,
            ColorSystem = terminal.IsColored ? ColorSystemSupport.Standard : ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.Yes,
        });
        console.Profile.Width = width;
        console.Progress().AutoClear(true).Columns(new TaskDescriptionColumn(), new ProgressBarColumn()).Start(context =>
        {
            var bar = context.AddTask(Markup.Escape(what));
            while (!Ended(running))
            {
                bar.MaxValue = Math.Max(progress.Total, 1);
                bar.Value = progress.Done;
                bar.Description = Markup.Escape($"{what} {Text(progress, clock)}");
            }
        });
    }

    private static string Text(SearchProgress progress, Stopwatch clock)
    {
        if (progress.Stage is { } stage)
            return $"{progress.Done} trials done, {stage}";
        var fresh = progress.Done - progress.Resumed;
        var rate = fresh / clock.Elapsed.TotalSeconds;
        var text = string.Create(CultureInfo.InvariantCulture, $"{progress.Done} of {progress.Total} trials, ");
        text += progress.Best is { } best
            ? string.Create(CultureInfo.InvariantCulture, $"best {best.Objective:0.#####} (trial {best.Index})") : "none has a score yet";
        if (progress.Failed > 0)
            text += $", {progress.Failed} failed";
        return fresh == 0 ? text : text + string.Create(
            CultureInfo.InvariantCulture,
            $", {(rate >= 1 ? $"{rate:0.#}/s" : $"{1 / rate:0.#} s each")}, {Left((progress.Total - progress.Done) / rate)} left");
    }

    private static string Left(double seconds) => TimeSpan.FromSeconds(Math.Min(Math.Max(seconds, 0), 1e8)) is { TotalHours: >= 1 } long_
        ? $"{(int)long_.TotalHours} h {long_.Minutes} min" : $"{(int)seconds / 60}:{(int)seconds % 60:00}";

    private static bool Ended(Task running) => Task.WhenAny(running, Task.Delay(Interval)).Result == running;
}
