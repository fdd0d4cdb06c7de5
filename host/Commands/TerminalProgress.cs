using Spectre.Console;

namespace Merge.Commands;

/// <summary>How far work is: a bar at a terminal, a line every tenth in a pipe, nothing with <c>--json</c>.</summary>
internal static class TerminalProgress
{
    /// <summary>Runs work that reports, from any thread, how much of <paramref name="total"/> is done.</summary>
    /// <param name="what">A few words, for example <c>merging</c>.</param>
    /// <param name="total">In the unit that is reported; at least 1.</param>
    public static async Task<T> Run<T>(Terminal terminal, string what, long total, Func<Action<long>, Task<T>> work)
    {
        if (terminal.IsJson)
            return await work(_ => { });
        if (terminal.ErrorWidth is not { } width)
            return await work(new Tenths(terminal, what, total).Report);
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(terminal.Error),
            Ansi = AnsiSupport.Yes,
            ColorSystem = terminal.IsColored ? ColorSystemSupport.Standard : ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.Yes,
        });
        console.Profile.Width = width;
        return await console.Progress()
            .AutoClear(true)
            .Columns(
                new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .StartAsync(context =>
            {
                var task = context.AddTask(Markup.Escape(what), maxValue: total);
                return work(done => task.Value = done);
            });
    }

    private sealed class Tenths(Terminal terminal, string what, long total)
    {
        private long _next = 1;

        public void Report(long done)
        {
            lock (this)
            {
                var tenth = done * 10 / total;
                if (tenth < _next)
                    return;
                terminal.Note($"{what}: {tenth * 10} %");
                _next = tenth + 1;
            }
        }
    }
}
